import Relabel

/// Compressed bytes as joblib writes them: a zlib stream.
enum Inflating {
  /// True for bytes that begin as a zlib stream does.
  static func begins(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 2 else { return false }
    return bytes[0] & 0x0F == 8 && bytes[0] >> 4 <= 7
      && (Int(bytes[0]) << 8 | Int(bytes[1])).isMultiple(of: 31)
  }

  /// What a zlib stream holds.
  ///
  /// - Throws: `.unsafeInput` for more than `limit` bytes, `.invalidInput` for a damaged stream.
  static func inflated(_ bytes: [UInt8], limit: Int) throws(RelabelError) -> [UInt8] {
    guard let inflated = Deflate.inflated(bytes, limit: limit) else {
      throw RelabelError(
        .invalidInput,
        "the zlib stream is damaged, cut off, or holds more than \(limit >> 20) MiB"
      )
    }
    return inflated
  }
}
