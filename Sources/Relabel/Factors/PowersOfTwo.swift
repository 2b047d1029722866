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

/// The exponential function in plain arithmetic, within 1e-6 of the value as floats: libraries differ in the last bit.
package enum PlainExponential {
  /// exp(x) of numbers of at most 0; 0 below −80.
  @inline(__always)
  package static func of(_ numbers: SIMD8<Float>) -> SIMD8<Float> {
    ofVectors(numbers).replacing(with: 0, where: numbers .< -80)
  }

  /// exp(x) of numbers of at most 0; exp(−87) below −87.
  @inline(__always)
  package static func ofVectors(_ numbers: SIMD8<Float>) -> SIMD8<Float> {
    let x = numbers.replacing(with: -87, where: numbers .< -87)
    // The last bits of a number of this size are a whole number.
    let shifted = x * 1.442_695_04 + 0x1.8p23
    let whole = shifted - 0x1.8p23
    let rest = (x - whole * 0.693_359_375) + whole * 2.121_944_4e-4
    var power = SIMD8<Float>(repeating: 1.388_888_9e-3)
    power = power * rest + 8.333_333_3e-3
    power = power * rest + 4.166_666_8e-2
    power = power * rest + 0.166_666_67
    power = power * rest + 0.5
    power = power * rest + 1
    power = power * rest + 1
    let bits = SIMD8<UInt32>(repeating: 23)
    return unsafeBitCast(
      unsafeBitCast(power, to: SIMD8<UInt32>.self)
        &+ (unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< bits),
      to: SIMD8<Float>.self
    )
  }

  /// exp(x) of numbers of at most 0, within 1e-15 of the value; 0 below −700.
  package static func of(_ x: Double) -> Double {
    if x < -700 { return 0 }
    let whole = (x * 1.442_695_040_888_963_4).rounded(.toNearestOrEven)
    // ln 2 in two parts, of which products with whole numbers are exact.
    let rest = (x - whole * 0x1.62e42fefap-1) - whole * 0x1.cf79abc9e3b3ap-40
    var sum = 1.0
    for term in stride(from: 14.0, through: 1, by: -1) { sum = sum * rest / term + 1 }
    return sum * Double(sign: .plus, exponent: Int(whole), significand: 1)
  }
}

/// The natural logarithm in plain arithmetic, within 1e-15: libraries differ in the last bit.
package enum PlainLogarithm {
  /// ln(x) of a positive normal number.
  package static func of(_ x: Double) -> Double {
    var (exponent, part) = (Double(x.exponent), x.significand)
    if part > 2.0.squareRoot() {
      part /= 2
      exponent += 1
    }
    // ln(part) = 2 · artanh(ratio)
    let ratio = (part - 1) / (part + 1)
    let square = ratio * ratio
    var sum = 0.0
    for term in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / term }
    return exponent * 0x1.62e42fefa39efp-1 + 2 * ratio * sum
  }
}
