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
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (0, 0)
    var offset = 0
    var words = bytes.count / 2
    while words > 0 {
      // 360 words are the most that can't overflow 32 bits.
      let run = min(words, 360)
      let whole = run / 8 * 8
      add(bytes, offset, whole, &low, &high)
      offset += whole * 2
      for _ in whole..<run {
        low &+= UInt32(bytes[offset]) << 8 | UInt32(bytes[offset + 1])
        high &+= low
        offset += 2
      }
      words -= run
      fold(&low, &high)
    }
    if bytes.count % 2 == 1 {
      low &+= UInt32(bytes[bytes.count - 1]) << 8
      high &+= low
      fold(&low, &high)
    }
    fold(&low, &high)
    return high << 16 | low
  }

  /// Adds `count` words, a multiple of 8, in eight lanes; lane j takes words j, j + 8 and so on.
  ///
  /// The sum of sums counts a word as often as there are words from it to the end: for word 8i + j,
  /// eight times what its own lane counts, less j.
  private static func add(
    _ bytes: UnsafeRawBufferPointer,
    _ start: Int,
    _ count: Int,
    _ low: inout UInt32,
    _ high: inout UInt32
  ) {
    var (sums, sumsOfSums): (SIMD8<UInt32>, SIMD8<UInt32>) = (.zero, .zero)
    for word in stride(from: 0, to: count, by: 8) {
      let stored = bytes.loadUnaligned(
        fromByteOffset: start &+ word &* 2,
        as: SIMD8<UInt16>.self
      )
      sums &+= SIMD8<UInt32>(truncatingIfNeeded: stored &<< 8 | stored &>> 8)
      sumsOfSums &+= sums
    }
    let lane = SIMD8<UInt32>(0, 1, 2, 3, 4, 5, 6, 7)
    high &+= UInt32(count) &* low &+ (sumsOfSums &* 8 &- sums &* lane).wrappedSum()
    low &+= sums.wrappedSum()
  }

  private static func fold(_ low: inout UInt32, _ high: inout UInt32) {
    low = (low & 0xFFFF) + (low >> 16)
    high = (high & 0xFFFF) + (high >> 16)
  }
}
