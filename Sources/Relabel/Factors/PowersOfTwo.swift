/// Powers of two near a positive number, by its bits alone: every machine finds the same.
enum PowersOfTwo {
  /// The power whose logarithm is nearest.
  static func nearest(_ value: Double) -> Double {
    let power = Double(sign: .plus, exponent: value.exponent, significand: 1)
    return value.significand < 2.0.squareRoot() ? power : 2 * power
  }

  /// The lowest power that is not below.
  static func above(_ value: Double) -> Double {
    let power = Double(sign: .plus, exponent: value.exponent, significand: 1)
    return value.significand == 1 ? power : 2 * power
  }

  /// The highest power that is not above.
  static func below(_ value: Double) -> Double {
    Double(sign: .plus, exponent: value.exponent, significand: 1)
  }
}

/// The exponential function in plain arithmetic, within 1e-6 of the value: libraries differ in the last bit.
package enum PlainExponential {
  /// exp(x) of numbers of at most 0; 0 below −80.
  @inline(__always)
  package static func of(_ x: Float) -> Float {
    if x < -80 { return 0 }
    let whole = (x * 1.442_695_04).rounded(.toNearestOrEven)
    return power(x, whole) * Float(sign: .plus, exponent: Int(whole), significand: 1)
  }

  /// The same without a branch, for loops that take several numbers at a time; exp(−87) below −87.
  @inline(__always)
  package static func ofVectors(_ number: Float) -> Float {
    let x = number < -87 ? -87 : number
    // The last bits of a number of this size are a whole number.
    let shifted = x * 1.442_695_04 + 0x1.8p23
    let power = power(x, shifted - 0x1.8p23)
    return Float(bitPattern: power.bitPattern &+ (shifted.bitPattern << 23))
  }

  /// exp(x) without its power of two, from 0.7 to 1.5.
  @inline(__always)
  private static func power(_ x: Float, _ whole: Float) -> Float {
    let rest = (x - whole * 0.693_359_375) + whole * 2.121_944_4e-4
    var sum: Float = 1.388_888_9e-3
    sum = sum * rest + 8.333_333_3e-3
    sum = sum * rest + 4.166_666_8e-2
    sum = sum * rest + 0.166_666_67
    sum = sum * rest + 0.5
    sum = sum * rest + 1
    return sum * rest + 1
  }
}
