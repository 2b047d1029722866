/// Memory of one thread while it pools: weights of both axes, and a sum for each class.
final class PoolingScratch {
  var rows: AxisWeights
  var columns: AxisWeights
  var sums: ClassSums
  /// For the entries of a map that is decoded to be pooled.
  private(set) lazy var entries = EntryRoom(entryCount)
  private let entryCount: Int

  private let numClasses: Int
  private let topK: Int
  /// For maps of factors.
  private(set) lazy var factors: FactorTargets = {
    hasFactors = true
    return FactorTargets(numClasses: numClasses, factors: topK)
  }()
  private var hasFactors = false

  /// Memory for maps of a shape.
  init(numClasses: Int, shape: MapShape) {
    (self.numClasses, topK) = (numClasses, shape.topK)
    rows = AxisWeights(capacity: shape.height)
    columns = AxisWeights(capacity: shape.width)
    entryCount = shape.entries
    sums = .allocate(numClasses: numClasses, limit: shape.entries)
  }

  deinit {
    sums.deallocate()
    if hasFactors { factors.deallocate() }
  }

  /// Sets all sums back to 0.
  func clear() { sums.take { _, _ in } }
}

extension PoolingScratch {
  /// Writes the target of a map of factors, whose weights have been set.
  func write<ID>(
    _ map: MapEntries<ID>,
    _ table: FactorTable,
    scale: Double,
    to target: UnsafeMutablePointer<Float>
  ) {
    factors.write(map, table, rows, columns, scale: scale, to: target)
  }
}
