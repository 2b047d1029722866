/// The checksum of HDF5's fletcher32 filter (spec, "Checksum").
package enum Fletcher32 {
  /// The checksum of `bytes`, read as big-endian 16-bit words; an odd last byte is a high byte.
  ///
  /// Sums are folded, not reduced modulo 65,535: a run of all ones gives `0xFFFFFFFF`, as in
  /// `H5_checksum_fletcher32`.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { checksum($0) }
  }

  /// As above, from bytes in memory of somebody else.
  ///
  /// Words are added with their bytes as they lie: exchanging the bytes of a word multiplies it by 256 modulo
  /// 65,535, so that it can be left to the end for both sums at once.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (low, high): (UInt64, UInt64) = (0, 0)
    let words = bytes.count / 2
    let whole = words / 8 * 8
    for start in stride(from: 0, to: whole, by: mostWords) {
      add(bytes, start, min(whole - start, mostWords), &low, &high)
    }
    for word in whole..<words {
      let stored = bytes.loadUnaligned(fromByteOffset: word * 2, as: UInt16.self)
      low += UInt64(UInt16(littleEndian: stored))
      high += low
    }
    if bytes.count % 2 == 1 {
      low += UInt64(bytes[bytes.count - 1])
      high += low
    }
    return UInt32(exchanged(high)) << 16 | UInt32(exchanged(low))
  }

  /// Eight lanes of 32 bits hold the sums of sums of so many words.
  private static let mostWords = 8 * 360

  /// Adds `count` words, a multiple of 8, in eight lanes; lane j takes words j, j + 8 and so on.
  ///
  /// The sum of sums counts a word as often as there are words from it to the end: for word 8i + j,
  /// eight times what its own lane counts, less j.
  private static func add(
    _ bytes: UnsafeRawBufferPointer,
    _ start: Int,
    _ count: Int,
    _ low: inout UInt64,
    _ high: inout UInt64
  ) {
    var (sums, sumsOfSums): (SIMD8<UInt32>, SIMD8<UInt32>) = (.zero, .zero)
    for word in stride(from: start, to: start &+ count, by: 8) {
      let stored = bytes.loadUnaligned(fromByteOffset: word &* 2, as: SIMD8<UInt16>.self)
      sums &+= SIMD8<UInt32>(truncatingIfNeeded: stored)
      sumsOfSums &+= sums
    }
    var added = UInt64(count) * low
    for lane in 0..<8 {
      added += 8 * UInt64(sumsOfSums[lane]) - UInt64(lane) * UInt64(sums[lane])
      low += UInt64(sums[lane])
    }
    // A few thousand words at a time: what is folded now and then never overflows.
    (low, high) = (folded(low), folded(high + added))
  }

  /// A sum in 16 bits, of all words that went into it.
  private static func folded(_ sum: UInt64) -> UInt64 {
    var sum = sum
    while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
    return sum
  }

  /// The folded sum of words whose bytes are exchanged.
  private static func exchanged(_ sum: UInt64) -> UInt16 {
    UInt16(truncatingIfNeeded: folded(sum)).byteSwapped
  }
}
