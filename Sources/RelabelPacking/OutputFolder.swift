import Relabel

/// The folder a dataset is written to, held by one run at a time.
struct OutputFolder: ~Copyable {
  let path: String
  let name: String
  private let descriptor: FileDescriptor

  private init(_ path: String, name: String) throws(RelabelError) {
    self.path = path
    self.name = name
    descriptor = try FileDescriptor(path, .folder, or: "the folder can't be opened")
  }

  /// Creates the folder if need be, locks it, and removes what a killed run left half-written.
  ///
  /// - Throws: `.usage` when another run writes here or shards can't be called by the name, `.io` when the folder
  ///   can't be written.
  static func claim(_ path: String, name: String) throws(RelabelError) -> OutputFolder {
    if let fault = DatasetIndex.fault(ofName: name) {
      throw RelabelError(.usage, "shards can't be called '\(name)': \(fault)")
    }
    try Folder.create(path)
    let folder = try OutputFolder(path, name: name)
    try folder.lock()
    return folder
  }

  private func lock() throws(RelabelError) {
    // The lock goes away with the process, so a killed run never blocks the next.
    if !descriptor.lock() {
      throw RelabelError(
        .usage,
        "another run is writing to this folder",
        at: Location(file: path)
      )
    }
    guard Folder.isWritable(path) else { throw .system("the folder can't be written", path) }
    for stale in try Folder.names(path) where PublishedFile.isTemporary(stale) {
      try Folder.remove("\(path)/\(stale)")
    }
  }

  /// The file name of a shard, `NAME-00000.h5`.
  func shardName(_ number: Int) -> String { "\(ShardFileName(base: name, number: number))" }

  /// The path of a file in the folder.
  ///
  /// Who lets a name with a `/` come here would write elsewhere; that ends the process.
  func path(of file: String) -> String {
    precondition(Self.isName(file), "no file of a folder can have this name")
    return "\(path)/\(file)"
  }

  /// True for what names a file of the folder itself, whatever it came from.
  static func isName(_ file: String) -> Bool {
    !file.isEmpty && file != "." && file != ".."
      && !file.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
  }

  /// Refuses a folder that holds a finished dataset.
  ///
  /// - Throws: `.usage` naming its index.
  func refuseFinishedDataset() throws(RelabelError) {
    if Folder.hasFile(path(of: DatasetIndex.fileName)) {
      throw refusal(of: DatasetIndex.fileName, "a finished dataset is here already")
    }
  }

  /// Why a dataset could not be written to a folder, as far as that can be told without touching it.
  static func refusal(_ path: String, overwrites: Bool) -> RelabelError? {
    let index = "\(path)/\(DatasetIndex.fileName)"
    guard Folder.exists(path) else { return nil }
    if Folder.kind(of: path) != .folder {
      return RelabelError(.io, "this is not a folder", at: Location(file: path))
    }
    if !Folder.isWritable(path) { return .system("the folder can't be written", path) }
    guard !overwrites, Folder.hasFile(index) else { return nil }
    return refusal(index, "a finished dataset is here already")
  }

  /// Refuses a folder that holds shards of an earlier run.
  ///
  /// - Throws: `.usage` naming the first.
  func refuseFinishedShards() throws(RelabelError) {
    guard let shard = try Folder.names(path).filter({ ShardFileName($0)?.base == name }).min()
    else { return }
    throw RelabelError(
      .usage,
      "an earlier run has left a finished shard; resume to go on after it, or overwrite it",
      at: Location(file: path(of: shard))
    )
  }

  /// Refuses what stands in the way of a build, or removes it.
  ///
  /// - Parameters:
  ///   - buildID: the build whose shards may stay.
  ///   - overwrites: removes an existing dataset: first its index, so that the folder is
  ///     incomplete from then on, then its shards.
  /// - Throws: `.usage` naming the file that is in the way.
  func prepare(buildID: String, overwrites: Bool) throws(RelabelError) {
    let indexPath = path(of: DatasetIndex.fileName)
    let hasIndex = Folder.hasFile(indexPath)
    if !overwrites { try refuseFinishedDataset() }
    let listed = hasIndex ? shardsListed(indexPath) : []
    if hasIndex { try Folder.remove(indexPath) }
    for file in try Folder.names(path) where file.hasSuffix(".h5") {
      guard ShardFileName(file)?.base == name || listed.contains(file) else {
        throw RelabelError(
          .usage,
          "the folder holds '\(file)', which is not a shard of '\(name)'; choose an empty folder",
          at: Location(file: path)
        )
      }
      if overwrites {
        try Folder.remove(path(of: file))
      } else if let reader = try? ShardReader(path(of: file)), reader.header.buildID == buildID {
        continue
      } else {
        throw refusal(of: file, "a shard made from other input or with other options is here")
      }
    }
  }

  /// Makes sure that the folder is still the one that was claimed, and holds all shards of an index.
  ///
  /// - Throws: `.io` naming what is gone: an index of it would say "complete" of what is not there.
  func check(_ shards: [DatasetIndex.Shard]) throws(RelabelError) {
    guard descriptor.leads(to: path) else {
      throw RelabelError(
        .io,
        "this is not the folder that the shards were written to; another took its place meanwhile",
        at: Location(file: path)
      )
    }
    for shard in shards {
      let file = path(of: shard.path)
      let bytes = try Folder.fileBytes(file)
      guard bytes == shard.bytes else {
        throw RelabelError(
          .io,
          "the finished shard had \(shard.bytes) bytes and has \(bytes) now; pack again",
          at: Location(file: file)
        )
      }
    }
  }

  private func refusal(of file: String, _ reason: String) -> RelabelError {
    Self.refusal(path(of: file), reason)
  }

  private static func refusal(_ file: String, _ reason: String) -> RelabelError {
    RelabelError(
      .usage,
      "\(reason); choose another folder or replace it with --overwrite",
      at: Location(file: file)
    )
  }

  private func shardsListed(_ indexPath: String) -> Set<String> {
    guard let bytes = try? ShardedDataset.indexBytes(indexPath),
      let index = try? DatasetIndex(parsing: bytes)
    else { return [] }
    return Set(index.shards.map(\.path))
  }
}
