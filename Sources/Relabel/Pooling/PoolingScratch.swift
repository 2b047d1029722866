/// Memory of one thread while it pools: a sum for each class, and which classes have one.
///
/// Sums are all 0 between uses, so a use costs what it touches and not `numClasses`.
final class PoolingScratch {
  var rows: AxisWeights
  var columns: AxisWeights
  let sums: UnsafeMutablePointer<Double>
  private let isTouched: UnsafeMutablePointer<UInt8>
  let touched: UnsafeMutablePointer<UInt32>
  var count = 0

  /// Memory for maps of a shape.
  init(numClasses: Int, shape: MapShape) {
    rows = AxisWeights(capacity: shape.height)
    columns = AxisWeights(capacity: shape.width)
    sums = .allocate(capacity: numClasses)
    sums.initialize(repeating: 0, count: numClasses)
    isTouched = .allocate(capacity: numClasses)
    isTouched.initialize(repeating: 0, count: numClasses)
    // One place more: `add` writes before it knows whether the class is new.
    touched = .allocate(capacity: min(numClasses, shape.entries) + 1)
  }

  deinit {
    sums.deallocate()
    isTouched.deallocate()
    touched.deallocate()
  }

  /// Adds to the sum of a class, which must be below `numClasses`.
  @inline(__always)
  func add(_ value: Double, to classIndex: UInt32) {
    let place = Int(classIndex)
    // Without a branch: which classes are new is what a processor guesses worst.
    touched[count] = classIndex
    count += Int(1 - isTouched[place])
    isTouched[place] = 1
    sums[place] += value
  }

  /// Sets all sums back to 0.
  func clear() { take { _, _ in } }

  /// Hands out every class with its sum, and sets all sums back to 0.
  @inline(__always)
  func take(_ body: (_ classIndex: Int, _ sum: Float) -> Void) {
    for place in 0..<count {
      let id = Int(touched[place])
      body(id, Float(sums[id]))
      sums[id] = 0
      isTouched[id] = 0
    }
    count = 0
  }
}
