internal import HDF5
internal import Relabel

/// Checks one shard file from its first byte to its last value.
struct ShardCheck {
  let jobs: Int

  /// - Returns: the findings, and what the shard holds unless a violation made it unreadable.
  /// - Throws: `.io` when the system refuses the file.
  func check(_ path: String) throws(RelabelError) -> (tally: Tally, shard: CheckedShard?) {
    var tally = Tally()
    if let violation = try Preflight.violation(path) {
      tally.add(violation)
      return (tally, nil)
    }
    let file: ShardFile?
    do {
      file = try ShardFile.open(path) { tally.add($0) }
    } catch  where error.code == .corrupt {
      tally.add(Violation("C001", error.message))
      return (tally, nil)
    }
    guard let file else { return (tally, nil) }
    var shard = CheckedShard(header: file.header, rows: file.rows)
    shard.largestError = file.largestError
    addNotes(file.header, to: &tally)
    let labels = LabelCheck(file).check(jobs: jobs)
    let identities = IdentityCheck(file).check()
    tally.add(labels.tally.naming(identities.keys))
    tally.add(identities.tally)
    for (name, column) in file.optional {
      tally.add(ColumnCheck(name, column).check())
      shard.optional[name] = column.description.type
    }
    shard.scoreRange = labels.scoreRange
    shard.keys = identities.keys.compactMap(\.self)
    shard.imageIndexes = identities.imageIndexes
    return (tally, shard)
  }

  private func addNotes(_ header: ShardHeader, to tally: inout Tally) {
    if !header.metadata.hasAnnotator {
      tally.add(Violation("P001", "nobody said which annotator made these maps (--annotator)"))
    }
    if header.metadata.classes == nil {
      tally.add(Violation("P002", "there is no class table (--classes)"))
    }
    if header.orientation == .unknown {
      tally.add(Violation("P003", "nobody said whether rows run down the picture (--orientation)"))
    }
  }
}

extension Tally {
  /// The same findings with the key of the image where only its row is known.
  func naming(_ keys: [String?]) -> Tally {
    mapLocations { location in
      guard let row = location.row, keys.indices.contains(row), let key = keys[row] else {
        return location
      }
      return location.filled(from: Location(key: key))
    }
  }
}
