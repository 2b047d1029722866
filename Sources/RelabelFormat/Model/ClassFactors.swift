/// What each factor of a map says of each class (spec, section 4.11).
///
/// The logit of a class in a cell is the sum over all factors of how much of the factor lies in the cell, times what it says of the
/// class. Logits are known up to a number that all classes of a cell share; targets don't depend on it.
public struct ClassFactors: Hashable, Sendable {
  /// How many classes there are.
  public let numClasses: Int
  /// Stored numbers, flat in the order [factor][class], each 127 more than what it counts.
  package let numbers: [UInt8]
  /// What one of each factor's numbers is worth: a power of two, or 0 for a factor that the map does not need.
  public let scale: [Float]

  /// Makes factors of stored numbers.
  ///
  /// - Parameters:
  ///   - numClasses: how many classes there are.
  ///   - numbers: `scale.count` · `numClasses` of them.
  ///   - scale: one for each factor.
  package init(numClasses: Int, numbers: [UInt8], scale: [Float]) {
    precondition(numbers.count == scale.count * numClasses)
    self.numClasses = numClasses
    self.numbers = numbers
    self.scale = scale
  }

  /// What a factor says of a class.
  public func value(ofFactor factor: Int, class id: Int) -> Double {
    let number = Int(numbers[factor * numClasses + id]) - Layout.classFactorOffset
    return Double(number) * Double(scale[factor])
  }
}

/// Class factors in memory that somebody else keeps, for pooling.
package struct FactorTable {
  package let numClasses: Int
  package let numbers: UnsafePointer<UInt8>
  package let scale: UnsafePointer<Float>

  package init(numClasses: Int, numbers: UnsafePointer<UInt8>, scale: UnsafePointer<Float>) {
    self.numClasses = numClasses
    self.numbers = numbers
    self.scale = scale
  }
}
