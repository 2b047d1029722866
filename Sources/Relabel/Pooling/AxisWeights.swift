/// What one axis of the grid gives to each of its cells: RoIAlign's sampling (spec, section 13.3).
///
/// Not thread-safe: scratch memory that one thread fills again and again.
struct AxisWeights: ~Copyable {
  private let values: UnsafeMutableBufferPointer<Double>
  /// The cells that may have a weight other than 0.
  private(set) var cells: Range<Int> = 0..<0

  /// Memory for grids of up to `capacity` cells along this axis.
  init(capacity: Int) {
    values = .allocate(capacity: capacity)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }

  /// The weight of a cell.
  subscript(cell: Int) -> Double { values[cell] }

  /// Computes the weights of `count` cells for a box that starts at `start`.
  ///
  /// - Parameters:
  ///   - start: where the box starts, as a fraction of the axis.
  ///   - length: its length, likewise.
  ///   - count: cells along the axis, at most the capacity.
  /// - Complexity: O(`count`).
  mutating func fill(start: Double, length: Double, count: Int) {
    precondition(count <= values.count)
    for cell in cells { values[cell] = 0 }
    // Every rounding up to the number of samples is part of the definition.
    let size = Float(count)
    let low: Float = Float(start) * size - 0.5
    let high: Float = Float(start + length) * size - 0.5
    let span = max(high - low, 1)
    let samples = Int(span.rounded(.up))

    let share = 1 / Double(samples)
    let distance = Double(span) * share
    var (first, last) = (count, -1)
    for sample in 0..<samples {
      let position = Double(low) + (Double(sample) + 0.5) * distance
      if position < -1 || position > Double(count) { continue }
      let place = max(position, 0)
      let cell = min(Int(place), count - 1)
      first = min(first, cell)
      if cell == count - 1 {
        values[cell] += share
        last = cell
      } else {
        let fraction = place - Double(cell)
        values[cell] += (1 - fraction) * share
        values[cell + 1] += fraction * share
        last = cell + 1
      }
    }
    cells = first..<max(last + 1, first)
  }
}
