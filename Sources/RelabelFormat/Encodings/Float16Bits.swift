/// binary16 ↔ binary32 by integer arithmetic.
///
/// The compiler's own conversions call a slow library routine on processors without F16C in the
/// build's baseline, and this package is built for the baseline.
@usableFromInline
package enum Float16Bits {
  /// The exact value of a binary16 pattern.
  @usableFromInline
  package static func widen(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let magnitude = UInt32(half & 0x7FFF)
    if magnitude >= 0x7C00 {  // infinity and NaN keep their payload
      return Float(bitPattern: sign | 0x7F80_0000 | (magnitude & 0x3FF) << 13)
    }
    // Scaling by 2^112 rebiases normal numbers and normalises subnormal ones, both exactly.
    let scaled = Float(bitPattern: magnitude << 13) * Float(bitPattern: 0x7780_0000)
    return Float(bitPattern: sign | scaled.bitPattern)
  }

  /// The nearest binary16, ties to even; too large becomes infinity.
  package static func narrow(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: (bits >> 16) & 0x8000)
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
    if magnitude < 0x3880_0000 {
      // Subnormal results: adding 0.5 aligns the last place of binary16 with that of binary32,
      // so the processor's own rounding does the work.
      let aligned = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: aligned.bitPattern - Float(0.5).bitPattern)
    }
    let odd = (magnitude >> 13) & 1
    let rounded = magnitude - 0x3800_0000 + 0xFFF + odd
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }
}
