import Relabel

/// Reads little-endian values from bytes, never past the end.
struct ByteCursor {
  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int
  /// What a reader is told when the bytes run out.
  let subject: String

  init(_ bytes: [UInt8], from position: Int = 0, to end: Int? = nil, subject: String) {
    self.bytes = bytes
    self.position = position
    self.end = Swift.min(end ?? bytes.count, bytes.count)
    self.subject = subject
  }

  var remaining: Int { end - position }

  /// Moves on by `count` bytes and returns where they are.
  mutating func take(_ count: Int) throws(RelabelError) -> Range<Int> {
    guard count >= 0, count <= remaining else {
      throw RelabelError(.invalidInput, "\(subject) is truncated")
    }
    defer { position += count }
    return position..<position + count
  }

  mutating func byte() throws(RelabelError) -> UInt8 {
    bytes[try take(1).lowerBound]
  }

  /// An unsigned integer of `width` bytes, at most 8.
  mutating func unsigned(_ width: Int) throws(RelabelError) -> UInt64 {
    var value: UInt64 = 0
    for (place, index) in try take(width).enumerated() {
      value |= UInt64(bytes[index]) << UInt64(8 * place)
    }
    return value
  }

  /// A signed integer of `width` bytes, at most 8, that has to fit `Int`.
  mutating func signed(_ width: Int) throws(RelabelError) -> Int {
    let shift = UInt64(64 - 8 * width)
    return width == 0 ? 0 : Int(Int64(bitPattern: try unsigned(width) << shift) >> Int64(shift))
  }

  /// A length of `width` bytes that the rest of the bytes has room for.
  mutating func length(_ width: Int) throws(RelabelError) -> Int {
    guard let value = Int(exactly: try unsigned(width)), value <= remaining else {
      throw RelabelError(.invalidInput, "\(subject) is truncated")
    }
    return value
  }

  /// The bytes up to the next line feed, which is skipped.
  mutating func line() throws(RelabelError) -> Range<Int> {
    let start = position
    while try byte() != UInt8(ascii: "\n") {}
    return start..<position - 1
  }

  /// `count` bytes as UTF-8.
  mutating func text(_ count: Int) throws(RelabelError) -> String {
    guard let text = String(exactly: bytes[try take(count)]) else {
      throw RelabelError(.invalidInput, "\(subject) holds text that is not UTF-8")
    }
    return text
  }

  /// True when the next bytes are `expected`, which are skipped then.
  mutating func skip(_ expected: [UInt8]) -> Bool {
    guard remaining >= expected.count,
      bytes[position..<position + expected.count].elementsEqual(expected)
    else { return false }
    position += expected.count
    return true
  }
}
