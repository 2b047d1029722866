/// Looks for class ids that stand twice in a cell, in keys that no two cells side by side share: an id
/// whose highest bit says whether the cell's number is odd.
///
/// So whole maps are compared with themselves, shifted: loops without branches or traps inside, which the
/// compiler turns into vector instructions. Ids apart by as many places as a cell has entries are never
/// looked at, so only cells side by side must differ.
@usableFromInline
package enum CellRepeats {
  /// True when two of `count` keys of one cell are equal, each of `width` bytes, 2 or 4.
  ///
  /// - Complexity: O(count · k), for few ranks.
  @usableFromInline
  package static func exist(
    in keys: UnsafeRawPointer,
    _ count: Int,
    width: Int,
    topK: Int
  ) -> Bool {
    width == 2
      ? exist(in: keys.assumingMemoryBound(to: UInt16.self), count, topK: topK)
      : exist(in: keys.assumingMemoryBound(to: UInt32.self), count, topK: topK)
  }

  /// How many of `count` keys, each of `width` bytes, equal the one that stands `distance` before.
  package static func count(
    in keys: UnsafeRawPointer,
    _ count: Int,
    width: Int,
    distance: Int
  ) -> Int {
    width == 2
      ? Self.count(in: keys.assumingMemoryBound(to: UInt16.self), count, distance: distance)
      : Self.count(in: keys.assumingMemoryBound(to: UInt32.self), count, distance: distance)
  }

  private static func count<Lane: FixedWidthInteger>(
    in keys: UnsafePointer<Lane>,
    _ count: Int,
    distance: Int
  ) -> Int {
    let later = keys + distance
    var (repeats, entry) = (0, 0)
    while entry < count &- distance {
      // In blocks whose count fits in a lane.
      let end = min(count &- distance, entry &+ 16_384)
      var block: Lane = 0
      while entry < end {
        let isEqual: Lane = later[entry] == keys[entry] ? 1 : 0
        block &+= isEqual
        entry &+= 1
      }
      repeats += Int(block)
    }
    return repeats
  }

  private static func exist<Lane: FixedWidthInteger>(
    in keys: UnsafePointer<Lane>,
    _ count: Int,
    topK: Int
  ) -> Bool {
    var distance = 1
    while distance &+ 3 < topK {
      if existFour(in: keys, count, from: distance) { return true }
      distance &+= 4
    }
    while distance < topK {
      if Self.count(in: keys, count, distance: distance) > 0 { return true }
      distance &+= 1
    }
    return false
  }

  /// True when two keys are equal that stand `first` or one, two or three more places apart.
  private static func existFour<Lane: FixedWidthInteger>(
    in keys: UnsafePointer<Lane>,
    _ count: Int,
    from first: Int
  ) -> Bool {
    let later = keys + first
    // What has all four others behind it, in one pass; then the few entries at the end.
    let whole = max(count &- first &- 3, 0)
    var (hasFound, entry) = (false, 0)
    while entry < whole {
      let end = min(whole, entry &+ 4096)
      var repeats: Lane = 0
      while entry < end {
        let one: Lane = later[entry] == keys[entry] ? 1 : 0
        let two: Lane = later[entry &+ 1] == keys[entry] ? 1 : 0
        let three: Lane = later[entry &+ 2] == keys[entry] ? 1 : 0
        let four: Lane = later[entry &+ 3] == keys[entry] ? 1 : 0
        repeats &+= one &+ two &+ three &+ four
        entry &+= 1
      }
      hasFound = hasFound || repeats != 0
    }
    for entry in whole..<max(count, whole) {
      for distance in first..<first &+ 4
      where entry &+ distance < count && keys[entry &+ distance] == keys[entry] { hasFound = true }
    }
    return hasFound
  }
}
