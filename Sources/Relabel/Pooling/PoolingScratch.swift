/// Memory of one thread while it pools: weights of both axes, and a sum for each class.
final class PoolingScratch {
  var rows: AxisWeights
  var columns: AxisWeights
  var sums: ClassSums
  /// For the entries of a map that is decoded to be pooled.
  private(set) lazy var entries = EntryRoom(entryCount)
  private let entryCount: Int

  /// Memory for maps of a shape.
  init(numClasses: Int, shape: MapShape) {
    rows = AxisWeights(capacity: shape.height)
    columns = AxisWeights(capacity: shape.width)
    entryCount = shape.entries
    sums = .allocate(numClasses: numClasses, limit: shape.entries)
  }

  deinit { sums.deallocate() }

  /// Sets all sums back to 0.
  func clear() { sums.take { _, _ in } }
}
