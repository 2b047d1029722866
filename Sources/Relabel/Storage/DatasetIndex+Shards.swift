extension DatasetIndex {
  /// What is wrong with each entry of the list of shards, before any of them is opened.
  ///
  /// - Parameter folder: that of the index.
  /// - Returns: a violation for each entry, nil for a sound one.
  package func faults(in folder: String) -> [Violation?] {
    var seen: Set<String> = []
    return shards.map { shard in
      guard seen.insert(shard.path).inserted else {
        return Violation(.m007, "shard '\(shard.path)' is listed twice")
      }
      let fault = fault(ofListed: shard.path) ?? Self.fault(of: shard, in: folder)
      if let fault {
        return Violation(.m009, "shard path '\(shard.path)': \(fault)")
      }
      guard shard.rows > 0 else {
        return Violation(.m010, "shard '\(shard.path)' is listed, but has no rows")
      }
      return nil
    }
  }

  /// Why a shard's path may not be followed from `folder`, or nil: it must stay in the folder, or be a link to a
  /// file of the listed size, as caches of datasets lay them out.
  ///
  /// What else the index says of the file is compared when it is opened. Who saves what is left of a dataset asks
  /// no more than this of it.
  package static func fault(of shard: Shard, in folder: String) -> String? {
    if let fault = fault(ofPath: shard.path) { return fault }
    var place = folder
    let parts = shard.path.split(separator: "/")
    for (number, part) in parts.enumerated() {
      place += "/\(part)"
      guard Folder.isLink(place) else { continue }
      let link = "'\(part)' is a symbolic link"
      let mend = "copy the dataset as plain files (cp -L) to read it"
      guard number == parts.count - 1 else { return "\(link) to a folder; \(mend)" }
      guard case .success(let target) = FileStatus.of(place), target.kind == .regular else {
        return "\(link) that leads to no file; fetch the file, or \(mend)"
      }
      guard Int64(target.bytes) == shard.bytes else {
        return "\(link) to a file of \(target.bytes) bytes, not the \(shard.bytes) listed; \(mend)"
      }
    }
    return nil
  }
}
