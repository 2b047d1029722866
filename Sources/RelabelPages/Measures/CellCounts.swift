internal import Relabel

/// Counts over the cells of many maps; whole numbers, so that adding them up in any order gives the same.
package struct CellCounts: Sendable {
  /// The most classes that are counted one by one, as the verifier has it.
  package static let mostClasses = 1 << 20
  /// The longest side of the grid of means; cells of a larger grid share a place.
  package static let longestSide = 64

  /// Maps that were counted.
  package private(set) var maps = 0
  /// Cells in which each class is best; empty where classes are too many.
  package private(set) var best: [Int]
  /// A bit for each class: 1 where some cell stores it; empty where classes are too many.
  package private(set) var seen: [UInt64]
  /// Rows and columns of the grid of means.
  package let (rows, columns): (Int, Int)
  /// The entropies of cells by their place in the grid of means, summed in units of `unit` bits.
  private var entropies: [Int]
  /// The missing mass of cells, summed likewise.
  package private(set) var missing = 0
  /// Cells that were counted.
  package private(set) var cells = 0

  private static let unit: Float = 1 / 65_536
  private let shape: MapShape

  /// Nothing counted so far.
  init(_ header: ShardHeader) {
    shape = header.shape
    let classes = header.numClasses <= Self.mostClasses ? header.numClasses : 0
    best = [Int](repeating: 0, count: classes)
    seen = [UInt64](repeating: 0, count: (classes + 63) / 64)
    (rows, columns) = (min(shape.height, Self.longestSide), min(shape.width, Self.longestSide))
    entropies = [Int](repeating: 0, count: rows * columns)
  }

  /// Classes that some cell stores.
  package var classesSeen: Int { seen.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// True where some cell stores a class.
  package func hasSeen(_ id: Int) -> Bool { seen[id / 64] >> UInt64(id % 64) & 1 == 1 }

  /// The mean entropy of the cells at each place of the grid of means, in bits; 0 where nothing was counted.
  package var meanEntropies: [Double] {
    (0..<rows * columns).map { place in
      let down = sharing(place / columns, rows, shape.height)
      let across = sharing(place % columns, columns, shape.width)
      let count = maps * down * across
      return count == 0 ? 0 : Double(entropies[place]) * Double(Self.unit) / Double(count)
    }
  }

  /// The mean missing mass of cells.
  package var meanMissing: Double {
    cells == 0 ? 0 : Double(missing) * Double(Self.unit) / Double(cells)
  }

  /// How many rows of the map share a row of means.
  private func sharing(_ place: Int, _ places: Int, _ side: Int) -> Int {
    (0..<side).count { $0 * places / side == place }
  }

  /// Counts a cell.
  @inline(__always)
  mutating func add(
    row: Int,
    column: Int,
    best id: Int,
    stored ids: UnsafeBufferPointer<UInt32>,
    entropy: Float,
    missing mass: Float
  ) {
    let place = row * rows / shape.height * columns + column * columns / shape.width
    entropies[place] += Int(entropy / Self.unit)
    missing += Int(mass / Self.unit)
    cells += 1
    guard !best.isEmpty else { return }
    best[id] += 1
    for id in ids { seen[Int(id / 64)] |= 1 << UInt64(id % 64) }
  }

  /// Notes that all classes are stored.
  mutating func addAllClasses() {
    guard let last = seen.indices.last, classesSeen < best.count else { return }
    for word in seen.indices { seen[word] = .max }
    if best.count % 64 > 0 { seen[last] = 1 << UInt64(best.count % 64) - 1 }
  }

  /// Counts a map whose cells were added.
  mutating func addMap() { maps += 1 }

  /// Adds what was counted elsewhere over maps of the same header.
  mutating func merge(_ other: CellCounts) {
    maps += other.maps
    missing += other.missing
    cells += other.cells
    for id in best.indices { best[id] += other.best[id] }
    for word in seen.indices { seen[word] |= other.seen[word] }
    for place in entropies.indices { entropies[place] += other.entropies[place] }
  }
}
