/// Memory of one thread while it pools: weights of both axes, and a sum for each class.
final class PoolingScratch {
  var rows: AxisWeights
  var columns: AxisWeights
  var sums: ClassSums

  /// Memory for maps of a shape.
  init(numClasses: Int, shape: MapShape) {
    rows = AxisWeights(capacity: shape.height)
    columns = AxisWeights(capacity: shape.width)
    sums = .allocate(numClasses: numClasses, limit: shape.entries)
  }

  deinit { sums.deallocate() }

  /// Sets all sums back to 0.
  func clear() { sums.take { _, _ in } }
}
