internal import Relabel

/// Maps that several images share.
struct RepeatedMaps: Sendable {
  /// One map and where it stands.
  struct Group: Sendable {
    let images: Int
    /// The first positions.
    fileprivate(set) var positions: [Int]
  }

  /// Images that share their map with another.
  let images: Int
  /// Different maps that stand for several images.
  let maps: Int
  /// The most frequent of them.
  let groups: [Group]

  private static let shownGroups = 6
  private static let shownPositions = 4

  /// Finds equal digests.
  ///
  /// - Parameter digests: of each map, by position.
  /// - Complexity: O(n log n), and 8 bytes for each image.
  init(_ digests: [UInt64]) {
    var (images, maps) = (0, 0)
    var most: [(digest: UInt64, count: Int)] = []
    let sorted = digests.sorted()
    var start = 0
    while start < sorted.count {
      var end = start + 1
      while end < sorted.count, sorted[end] == sorted[start] { end += 1 }
      if end - start > 1 {
        images += end - start
        maps += 1
        let place = most.firstIndex { $0.count < end - start } ?? most.count
        if place < Self.shownGroups {
          most.insert((sorted[start], end - start), at: place)
          if most.count > Self.shownGroups { most.removeLast() }
        }
      }
      start = end
    }
    (self.images, self.maps) = (images, maps)
    groups = most.map { found in
      var positions: [Int] = []
      for (position, digest) in digests.enumerated() where digest == found.digest {
        positions.append(position)
        if positions.count == Self.shownPositions { break }
      }
      return Group(images: found.count, positions: positions)
    }
  }
}
