/// The order in which an epoch walks a dataset (spec, section 14): the same in every language,
/// resumable anywhere, shared exactly by ranks and workers.
public struct EpochOrder: Hashable, Sendable {
  /// Which images are neighbours.
  public enum Kind: Hashable, Sendable {
    /// Every image on its own: reads a chunk for each.
    case uniform
    /// Whole chunks one after the other: reads every chunk once. Takes the positions of each chunk, as
    /// `LabelMapSource.chunks` gives them.
    case chunk([Range<Int>])
  }

  /// What becomes of the images that are left when ranks share equally.
  public enum Tail: String, Hashable, Sendable, CaseIterable {
    /// They are left out of this epoch.
    case drop
    /// The first places are used again until all ranks have as many.
    case pad
    /// Some ranks have one more than others.
    case uneven
  }

  /// How many positions an order can have.
  public static let capacity: Int = 1 << 32

  private let places: [UInt32]

  /// Positions of the dataset, in the order of the epoch.
  ///
  /// - Complexity: O(n), and 8 bytes for each; `positions(_:)` gives some of them.
  public var positions: [Int] { positions(places.indices) }

  /// Some of the positions.
  public func positions(_ range: Range<Int>) -> [Int] { places[range].map { Int($0) } }

  /// How many positions there are.
  public var count: Int { places.count }

  /// The order of one epoch.
  ///
  /// - Parameters:
  ///   - kind: uniform, or chunk by chunk.
  ///   - count: images of the dataset, at most `capacity`.
  ///   - seed: of the run.
  ///   - epoch: the number of the epoch.
  /// - Complexity: O(n log n) for n images or chunks; holds 4 bytes an image, and 12 for each
  ///   image or chunk while it sorts them.
  public init(_ kind: Kind, count: Int, seed: UInt64, epoch: UInt64) {
    let base = SplitMix64.base(seed: seed, epoch: epoch)
    switch kind {
    case .uniform:
      places = Self.sortedKeys(count, base).map {
        UInt32(SplitMix64.index(of: $0, from: base))
      }
    case .chunk(let chunks):
      var places: [UInt32] = []
      places.reserveCapacity(chunks.reduce(0) { $0 + $1.count })
      for key in Self.sortedKeys(chunks.count, base) {
        places += chunks[SplitMix64.index(of: key, from: base)].lazy.map { UInt32($0) }
      }
      self.places = places
    }
  }

  /// The keys of 0 ..< count in ascending order; each says what it is the key of.
  private static func sortedKeys(_ count: Int, _ base: UInt64) -> [UInt64] {
    var keys = (0..<count).map { SplitMix64.bits($0, from: base) }
    keys.sort()
    return keys
  }

  /// The positions that one rank walks, in order.
  ///
  /// - Parameters:
  ///   - rank: from 0.
  ///   - ranks: how many ranks share the epoch.
  ///   - tail: what becomes of the rest of the division.
  /// - Returns: equally many for every rank, except with `uneven`.
  public func positions(ofRank rank: Int, of ranks: Int, tail: Tail) -> [Int] {
    precondition(ranks >= 1 && (0..<ranks).contains(rank))
    switch tail {
    case .drop:
      let length = count / ranks
      return positions(rank * length..<(rank + 1) * length)
    case .pad:
      guard count > 0 else { return [] }
      let length = (count + ranks - 1) / ranks
      return (rank * length..<(rank + 1) * length).map { Int(places[$0 % count]) }
    case .uneven:
      return positions(rank * count / ranks..<(rank + 1) * count / ranks)
    }
  }

  /// The places of a rank's sequence that one of its workers loads, batch by batch.
  ///
  /// - Parameters:
  ///   - worker: from 0.
  ///   - workers: how many workers the rank has.
  ///   - batchSize: images of a batch; the last may have fewer.
  ///   - length: how many images the rank walks.
  ///   - start: the first place, above 0 when an epoch is resumed.
  /// - Returns: one range for each batch; the workers take turns, batch by batch.
  public static func batches(
    ofWorker worker: Int,
    of workers: Int,
    batchSize: Int,
    length: Int,
    start: Int = 0
  ) -> [Range<Int>] {
    precondition(batchSize >= 1 && workers >= 1 && (0..<workers).contains(worker))
    return stride(from: start + worker * batchSize, to: length, by: workers * batchSize).map {
      $0..<min($0 + batchSize, length)
    }
  }
}
