public import func Glibc.exp
public import func Glibc.expf
public import func Glibc.log
public import func Glibc.log10
public import func Glibc.logf
public import func Glibc.pow

/// The functions of C's mathematics that the house uses.
///
/// Their bodies are part of what calls them, in other modules too, so that loops pay for no second call.
@usableFromInline package enum Mathematics {
  /// e to the power of a number.
  @inlinable @inline(__always)
  package static func exp(_ number: Double) -> Double { Glibc.exp(number) }

  /// e to the power of a number, half as dear and as exact as `Float` is.
  @inlinable @inline(__always)
  package static func exp(_ number: Float) -> Float { Glibc.expf(number) }

  /// The natural logarithm.
  @inlinable @inline(__always)
  package static func log(_ number: Double) -> Double { Glibc.log(number) }

  /// The natural logarithm, half as dear and as exact as `Float` is.
  @inlinable @inline(__always)
  package static func log(_ number: Float) -> Float { Glibc.logf(number) }

  /// The decimal logarithm.
  @inlinable @inline(__always)
  package static func log10(_ number: Double) -> Double { Glibc.log10(number) }

  /// A number to a power.
  @inlinable @inline(__always)
  package static func pow(_ base: Double, _ exponent: Double) -> Double {
    Glibc.pow(base, exponent)
  }
}
