/// The type of one element, as far as this package writes and reads types.
package enum ElementType: Hashable, Sendable, CustomStringConvertible {
  case uint8, uint16, uint32, uint64
  case int8, int16, int32, int64
  case float16, float32, float64
  /// UTF-8 in a fixed number of bytes, null-padded.
  case utf8(bytes: Int)
  /// A fixed-length string that is not null-padded UTF-8, in words.
  case oddString(bytes: Int, String)
  /// Anything else, in words: big-endian, vlen, compound, committed…
  case other(String)

  /// A type that has an object of its own.
  package static let committed = ElementType.other("committed type")

  /// Bytes of one element; 0 for `other`.
  package var size: Int {
    switch self {
    case .uint8, .int8: 1
    case .uint16, .int16, .float16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .utf8(let bytes), .oddString(let bytes, _): bytes
    case .other: 0
    }
  }

  package var description: String {
    switch self {
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .utf8(let bytes): "UTF-8 string of \(bytes) bytes"
    case .oddString(_, let what), .other(let what): what
    }
  }
}
