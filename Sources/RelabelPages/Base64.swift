internal import FoundationEssentials

/// Bytes as text, for pictures and digests within a page.
enum Base64 {
  /// The text of bytes (RFC 4648, section 4).
  ///
  /// - Complexity: O(bytes).
  static func text(of bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  /// The text of numbers, 4 bytes each and the lowest first.
  static func text(of numbers: [UInt32]) -> String {
    text(of: numbers.map(\.littleEndian).withUnsafeBytes { Array($0) })
  }

  /// The text of numbers, 4 bytes each and the lowest first.
  static func text(of numbers: [Float]) -> String { text(of: numbers.map(\.bitPattern)) }
}
