internal import Relabel

/// A map that stands for many images (rule V013).
struct MapRepeat: Hashable, Sendable {
  /// Where it stands first.
  let shard: Int
  let row: Int
  /// How many images have it.
  private(set) var images = 1
  /// How many shards these are in.
  private(set) var shards = 1
  private var lastShard: Int

  private init(_ shard: Int, _ row: Int) {
    (self.shard, self.row, lastShard) = (shard, row, shard)
  }

  private mutating func add(_ shard: Int) {
    images += 1
    if shard != lastShard { (shards, lastShard) = (shards + 1, shard) }
  }

  /// The finding, located in its first shard.
  var entry: Tally.Entry {
    let place = Location(dataset: Layout.classIndex, row: row)
    let violation = Violation(.v013, "\(images) images have exactly this map", at: place)
    return Tally.Entry(violation, count: images, images: images)
  }

  /// The fewest images that are called many: 4, and one in a thousand rows.
  static func threshold(rows: Int) -> Int { max(4, (rows + 999) / 1000) }

  /// Repeated maps among shards, in the order of their first rows.
  ///
  /// - Parameter shards: `LabelCheck.Outcome.mapDigests` of each; rows that were not read hold 0.
  /// - Returns: nothing where no map has as many images as `threshold` asks for.
  /// - Complexity: O(rows).
  static func find(in shards: [[UInt64]]) -> [MapRepeat] {
    let threshold = threshold(rows: shards.reduce(0) { $0 + $1.count })
    // Counting by 16 bits first: the rest then has few candidates.
    var counts = [Int](repeating: 0, count: 1 << 16)
    for digests in shards {
      for digest in digests { counts[Int(digest & 0xFFFF)] += 1 }
    }
    guard counts.contains(where: { $0 >= threshold }) else { return [] }
    var found: [UInt64: MapRepeat] = [:]
    for (shard, digests) in shards.enumerated() {
      for (row, digest) in digests.enumerated()
      where digest != 0 && counts[Int(digest & 0xFFFF)] >= threshold {
        if found[digest]?.add(shard) == nil { found[digest] = MapRepeat(shard, row) }
      }
    }
    return found.values.filter { $0.images >= threshold }
      .sorted { ($0.shard, $0.row) < ($1.shard, $1.row) }
  }
}
