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
      let fault = fault(ofListed: shard.path) ?? Self.fault(ofPath: shard.path, in: folder)
      if let fault {
        return Violation(.m009, "shard path '\(shard.path)': \(fault)")
      }
      guard shard.rows > 0 else {
        return Violation(.m010, "shard '\(shard.path)' is listed, but has no rows")
      }
      return nil
    }
  }

  /// Why a path may not be followed from `folder`, or nil: it must stay in the folder, also through links.
  ///
  /// Who saves what is left of a dataset asks no more than this of it.
  package static func fault(ofPath path: String, in folder: String) -> String? {
    if let fault = fault(ofPath: path) { return fault }
    var place = folder
    for part in path.split(separator: "/") {
      place += "/\(part)"
      if Folder.isLink(place) { return "'\(part)' is a symbolic link" }
    }
    return nil
  }
}
