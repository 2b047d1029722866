/// The checksum of HDF5's fletcher32 filter (spec, "Checksum").
package enum Fletcher32 {
  /// The checksum of `bytes`, read as big-endian 16-bit words; an odd last byte is a high byte.
  ///
  /// Sums are folded, not reduced modulo 65,535: a run of all ones gives `0xFFFFFFFF`, as in
  /// `H5_checksum_fletcher32`.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (0, 0)
    var offset = 0
    var words = bytes.count / 2
    while words > 0 {
      // 360 words are the most that can't overflow 32 bits.
      let run = min(words, 360)
      // Four at a time, so that one sum does not wait for the other.
      for _ in 0..<run / 4 {
        let (a, b) = (word(bytes, offset), word(bytes, offset + 2))
        let (c, d) = (word(bytes, offset + 4), word(bytes, offset + 6))
        high &+= 4 &* (low &+ a) &+ 3 &* b &+ 2 &* c &+ d
        low &+= (a &+ b) &+ (c &+ d)
        offset += 8
      }
      for _ in 0..<run % 4 {
        low &+= word(bytes, offset)
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

  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, _ offset: Int) -> UInt32 {
    UInt32(bytes[unchecked: offset]) << 8 | UInt32(bytes[unchecked: offset + 1])
  }

  private static func fold(_ low: inout UInt32, _ high: inout UInt32) {
    low = (low & 0xFFFF) + (low >> 16)
    high = (high & 0xFFFF) + (high >> 16)
  }
}
