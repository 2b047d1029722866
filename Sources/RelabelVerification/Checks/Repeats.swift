/// Looks for numbers that occur twice.
enum Repeats {
  /// The most numbers that are held at once.
  private static let most = 1 << 16
  /// Odd, and unknown to whoever made the numbers: they can't be chosen to meet in one place.
  private static let factor = UInt64.random(in: 0...UInt64.max) | 1

  /// True when some number occurs twice in all the runs together.
  ///
  /// A table of a part of the numbers at a time, so that memory does not grow with them.
  /// - Complexity: O(n · (1 + n / 65,536)), of which only a multiplication is repeated.
  static func exist<Number: FixedWidthInteger>(in runs: [[Number]]) -> Bool {
    let count = runs.reduce(0) { $0 + $1.count }
    let parts = UInt64(count / most + 1)
    var table = Table(count: min(count, 2 * most))
    for part in 0..<parts {
      table.removeAll()
      for run in runs {
        for number in run {
          let number = UInt64(truncatingIfNeeded: number)
          let hash = number &* factor
          // The high half picks the part, all of it the place within.
          guard parts == 1 || ((hash >> 32) * parts) >> 32 == part else { continue }
          if !table.insert(number, hash) { return true }
        }
      }
    }
    return false
  }

  /// A set of numbers.
  private struct Table {
    private var places: [UInt64]
    private var hasZero = false
    private var count = 0

    init(count: Int) { places = [UInt64](repeating: 0, count: Self.size(count)) }

    /// At least twice as many places as numbers.
    private static func size(_ count: Int) -> Int {
      1 << (Int.bitWidth - (2 * max(count, 8) - 1).leadingZeroBitCount)
    }

    mutating func removeAll() {
      for place in places.indices { places[place] = 0 }
      (hasZero, count) = (false, 0)
    }

    /// Adds a number; false when it is there.
    mutating func insert(_ number: UInt64, _ hash: UInt64) -> Bool {
      if number == 0 {
        defer { hasZero = true }
        return !hasZero
      }
      if 2 * count >= places.count { grow() }
      count += 1
      return put(number, hash)
    }

    private mutating func put(_ number: UInt64, _ hash: UInt64) -> Bool {
      let mask = places.count - 1
      let spread = (hash ^ hash >> 29) &* 0xBF58_476D_1CE4_E5B9
      var place = Int(truncatingIfNeeded: spread >> 32) & mask
      while places[place] != 0 {
        if places[place] == number { return false }
        place = (place + 1) & mask
      }
      places[place] = number
      return true
    }

    private mutating func grow() {
      let old = places
      places = [UInt64](repeating: 0, count: 2 * old.count)
      for number in old where number != 0 { _ = put(number, number &* Repeats.factor) }
    }
  }
}
