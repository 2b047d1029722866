public import func Glibc.memcmp

/// Work on bytes that the processor does in larger pieces.
@usableFromInline package enum Memory {
  /// Less than, equal to or greater than 0, by the first of `count` bytes that differ.
  @inlinable @inline(__always)
  package static func compare(
    _ a: UnsafeRawBufferPointer,
    _ b: UnsafeRawBufferPointer,
    count: Int
  ) -> Int {
    guard let a = a.baseAddress, let b = b.baseAddress else { return 0 }
    return Int(memcmp(a, b, count))
  }
}
