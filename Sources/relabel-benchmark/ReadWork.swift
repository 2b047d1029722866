internal import Relabel

/// Reads label maps at random places, one at a time: `read SHARD IMAGES`.
enum ReadWork {
  static func prepare(_ arguments: ArraySlice<String>) throws -> () throws -> Void {
    let maps = try openLabelMaps(arguments.first ?? "")
    var random = SplitMix64(state: 0)
    let rows = (0..<(Int(arguments.last ?? "") ?? 1)).map { _ in
      Int(random.next() % UInt64(maps.count))
    }
    return {
      for row in rows { _ = try maps.map(at: row) }
    }
  }
}
