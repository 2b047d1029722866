import Relabel

/// The shards of a dataset that may be damaged, as far as they can be found.
struct RecoverySource {
  /// One shard.
  struct Shard {
    /// Where it is.
    let path: String
    /// What the dataset calls it.
    let name: String
    /// What a sound `index.json` says of it.
    let entry: DatasetIndex.Shard?
    /// Why it may or can not be opened at all.
    var fault: String?
  }

  /// The index, if it is sound.
  let index: DatasetIndex?
  let shards: [Shard]
  private(set) var doubts: [String] = []
  private(set) var notes: [String] = []

  /// Looks for shards at a path.
  ///
  /// - Throws: `.notFound` where there are none, `.io` for what can't be read at all.
  init(_ path: String) throws(RelabelError) {
    guard let folder = Folder.ofDataset(path) else {
      _ = try Folder.fileBytes(path)
      index = nil
      shards = [Shard(path: path, name: Folder.name(of: path), entry: nil)]
      return
    }
    guard Folder.exists(folder) else {
      throw RelabelError(.notFound, "there is no such folder", at: Location(file: folder))
    }
    let present = try Folder.names(folder).filter { $0.hasSuffix(".h5") && !$0.hasPrefix(".") }
    let indexPath = "\(folder)/\(DatasetIndex.fileName)"
    let read: Result<DatasetIndex, RelabelError>
    do throws(RelabelError) {
      read = .success(try DatasetIndex(parsing: ShardedDataset.indexBytes(indexPath)))
    } catch {
      read = .failure(error)
    }
    var found: [Shard] = []
    switch read {
    case .success(let known):
      index = known
      var seen: Set<String> = []
      for entry in known.shards where seen.insert(entry.path).inserted {
        found.append(try Self.listed(entry, in: folder))
      }
      shards = found
      notes = Set(present).subtracting(known.shards.map(\.path)).sorted().map {
        "'\($0)' is not listed in index.json, so it was not read"
      }
    case .failure(let error):
      if error.code == .unsupported { throw error.located(Location(file: folder)) }
      index = nil
      for name in present {
        let path = "\(folder)/\(name)"
        found.append(Shard(path: path, name: name, entry: nil, fault: try Self.fault(ofFile: path)))
      }
      shards = Self.ordered(found)
      doubts = [Self.doubt(error, folder, present)]
    }
    guard !shards.isEmpty else {
      throw RelabelError(.notFound, "there are no shards here", at: Location(file: folder))
    }
    // A file that nobody lets us read is not damaged.
    for shard in shards where shard.fault == nil { try Folder.requireReadable(shard.path) }
  }

  /// Shards by their numbers, as an index lists them; others as they are called.
  private static func ordered(_ shards: [Shard]) -> [Shard] {
    let names = shards.map { ShardFileName($0.name) }
    guard Set(names.map { $0?.base }).count == 1, names.allSatisfy({ $0 != nil }) else {
      return shards
    }
    return zip(names, shards).sorted { ($0.0?.number ?? 0) < ($1.0?.number ?? 0) }.map(\.1)
  }

  private static func listed(
    _ entry: DatasetIndex.Shard,
    in folder: String
  ) throws(RelabelError) -> Shard {
    let path = "\(folder)/\(entry.path)"
    var shard = Shard(path: path, name: entry.path, entry: entry)
    if let fault = DatasetIndex.fault(of: entry, in: folder) {
      shard.fault = "its path is not followed: \(fault)"
    } else {
      shard.fault = try fault(ofFile: path)
    }
    return shard
  }

  /// Why nothing of a file can be saved, or nil; a file that the system refuses is no lost one.
  private static func fault(ofFile path: String) throws(RelabelError) -> String? {
    if !Folder.hasFile(path) { return "the file is missing" }
    do {
      _ = try Folder.fileBytes(path)
      return nil
    } catch  where error.message == Folder.notRegular {
      return "it is not a regular file"
    }
  }

  /// What is not known without a sound index.
  private static func doubt(
    _ error: RelabelError,
    _ folder: String,
    _ present: [String]
  ) -> String {
    let isThere = Folder.hasFile("\(folder)/\(DatasetIndex.fileName)")
    let what = isThere ? "is damaged (\(error.message))" : "is missing"
    let numbers = Set(present.compactMap { ShardFileName($0)?.number })
    let gap = (0..<numbers.count).first { !numbers.contains($0) }
    let missing = gap.map { ", and no shard has the number \($0)" } ?? ""
    return "index.json \(what): nothing says which shards and left-out inputs there were\(missing)"
      + oneBuild(present)
  }
}

extension RecoverySource {
  /// More names than these nobody reads.
  private static let mostNames = 1_000

  /// What a build id does not tell: it covers names and sizes of inputs, not what they hold (spec, section 9.5).
  private static func oneBuild(_ present: [String]) -> String {
    guard present.count > 1 else { return "" }
    let names = present.prefix(mostNames).map { "'\($0)'" }.joined(separator: ", ")
    let rest = present.count > mostNames ? " and \(present.count - mostNames) others" : ""
    return "; nor that \(names)\(rest) are of one build"
  }

  /// What the new shards are called, in the order of `shards`: they keep their numbers, which say which
  /// part of the row order they are (spec, section 9.3), where all have one.
  var outputNames: [ShardFileName] {
    let names = shards.map { ShardFileName(Folder.name(of: $0.name)) }
    let bases = Set(names.map { $0?.base })
    if bases.count == 1, let base = bases.first.flatMap(\.self),
      DatasetIndex.fault(ofName: base) == nil,
      Set(names.map { $0?.number }).count == names.count
    {
      return names.compactMap(\.self)
    }
    let base = index?.name ?? ShardFileName.defaultBase
    return shards.indices.map { ShardFileName(base: base, number: $0) }
  }
}
