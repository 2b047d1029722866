import Relabel

/// Reads an `.npz` file once, front to back, and spools its maps.
struct NumPyArchive {
  /// `.npz` files, whose contents are spooled while they are listed.
  struct Files: Dialect {
    let name = "NumPy archive"
    let word = "npz"
    let extensions = [".npz"]
    let needsOwnFile = true

    func evidence(in head: [UInt8]) -> String? {
      // A zip file whose first member is an array.
      guard head.starts(with: "PK\u{3}\u{4}".utf8), head.count > 30 else { return nil }
      let count = Int(head[26]) | Int(head[27]) << 8
      let name = String(decoding: head.dropFirst(30).prefix(count), as: UTF8.self)
      return name.hasSuffix(".npy") ? "a zip file of arrays" : nil
    }

    func list(
      _ region: ByteRegion,
      path: () -> String,
      options: InputOptions,
      spool: inout Spool
    ) throws(RelabelError) -> FoundMaps {
      try NumPyArchive.read(path(), options: options, spool: &spool)
    }
  }

  private var arrays: SpooledArrays

  /// The images of the file at `path`, and their keys when it has some.
  static func read(
    _ path: String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let file = try OpenFile(reading: path)
    if GitLFSPointer.begins(try file.read(at: 0, count: min(file.size, 64))) {
      throw RelabelError(.invalidInput, GitLFSPointer.fault)
    }
    let reader = try ArchiveReader(zip: file.descriptor)
    var archive = NumPyArchive(options)
    var names: Set<String> = []
    while let member = try reader.next() {
      try checkRatio(declared: member.size, of: file.size)
      let name = String(decoding: member.name, as: UTF8.self)
      guard names.insert(name).inserted else {
        throw RelabelError(.invalidInput, "the file has two arrays named '\(name)'")
      }
      do throws(RelabelError) {
        try archive.take(name, try ZippedArray(reader: reader, member: member), &spool)
      } catch {
        throw error.located(Location(dataset: name))
      }
    }
    return try archive.arrays.finish()
  }

  private init(_ options: InputOptions) { arrays = SpooledArrays(options) }

  private mutating func take(
    _ name: String,
    _ stream: any ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) {
    switch name {
    case "logits.npy": try arrays.takeDense(stream, .logit, &spool)
    case "probabilities.npy": try arrays.takeDense(stream, .probability, &spool)
    case "class_index.npy": try arrays.takeClassIndex(stream, &spool)
    case "score.npy": try arrays.takeScore(stream, &spool)
    case "keys.npy": arrays.keys = try NumPyKeys(stream, &spool)
    default:
      throw RelabelError(
        .invalidInput,
        "an .npz file holds logits or probabilities, or class_index and score, and keys; not this"
      )
    }
  }
}
