/// A training target: one probability for each class, stored sparsely (spec, section 13.5).
///
/// ```swift
/// let probabilities = target.dense()  // one for each class
/// let best = target.top(1)[0].classIndex
/// ```
public struct PooledTarget: Hashable, Sendable {
  /// How many classes the target has a probability for.
  public let numClasses: Int
  /// The classes with entries in the pooled cells, ascending.
  public let classIndex: [UInt32]
  /// The probabilities of these classes.
  public let probability: [Float]
  /// The probability of each class that is not in `classIndex`.
  public let rest: Float
  /// The share of the box that the map covers; below 1 only for a clamped box.
  public let covered: Double

  /// All `numClasses` probabilities.
  ///
  /// - Complexity: O(`numClasses`).
  public func dense() -> [Float] {
    var target = [Float](repeating: rest, count: numClasses)
    for (id, probability) in zip(classIndex, probability) { target[Int(id)] = probability }
    return target
  }

  /// The most probable of the pooled classes, ties by class id.
  ///
  /// - Parameter count: how many to return at most.
  /// - Returns: ids and probabilities, most probable first.
  /// - Complexity: O(n log n) for n pooled classes.
  public func top(_ count: Int) -> [(classIndex: UInt32, probability: Float)] {
    zip(classIndex, probability)
      .sorted { $0.1 > $1.1 || ($0.1 == $1.1 && $0.0 < $1.0) }
      .prefix(count).map { ($0.0, $0.1) }
  }
}
