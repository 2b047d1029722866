/// Memory of one thread while it pools: weights of both axes, and a sum for each class.
final class PoolingScratch {
  var rows: AxisWeights
  var columns: AxisWeights
  var sums: ClassSums
  /// For the entries of a map that is decoded to be pooled.
  private(set) lazy var entries = EntryRoom(entryCount)
  private let entryCount: Int

  /// Memory for maps of a shape.
  private let numClasses: Int
  /// Room for a logit of each class, for maps of factors.
  private lazy var logits: UnsafeMutablePointer<Double> = {
    hasLogits = true
    return .allocate(capacity: numClasses)
  }()
  private var hasLogits = false

  init(numClasses: Int, shape: MapShape, hasFactors: Bool = false) {
    self.numClasses = numClasses
    rows = AxisWeights(capacity: shape.height)
    columns = AxisWeights(capacity: shape.width)
    entryCount = shape.entries
    sums = .allocate(numClasses: numClasses, limit: hasFactors ? numClasses : shape.entries)
  }

  deinit {
    sums.deallocate()
    if hasLogits { logits.deallocate() }
  }

  /// Turns sums of factors into sums of classes.
  func addUp(_ factors: FactorTable) {
    let logits = logits
    logits.initialize(repeating: 0, count: numClasses)
    sums.take { factor, amount in factors.add(amount, of: factor, to: logits) }
    for id in 0..<numClasses { sums.add(logits[id], to: UInt32(truncatingIfNeeded: id)) }
  }

  /// Sets all sums back to 0.
  func clear() { sums.take { _, _ in } }
}
