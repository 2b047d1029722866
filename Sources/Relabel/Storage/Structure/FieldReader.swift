/// Reads little-endian fields of a block, never past their end.
struct FieldReader {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  /// Where the block begins in the file.
  private let base: UInt64
  /// What the fields describe, for example "the attribute", and where it begins in the file.
  private let name: String
  private let origin: UInt64

  /// The fields of `bytes`, which begin at `base` in the file, from `position` up to `end`, both
  /// clamped to what is there.
  ///
  /// Findings call them `name`, which begins at `origin`; without one it is where the fields do.
  init(
    _ bytes: [UInt8],
    from position: Int,
    to end: Int,
    at base: UInt64,
    name: String,
    origin: UInt64? = nil
  ) {
    self.bytes = bytes
    self.end = min(max(end, 0), bytes.count)
    self.position = min(max(position, 0), self.end)
    self.base = base
    self.name = name
    self.origin = origin ?? base + UInt64(self.position)
  }

  var remaining: Int { end - position }
  /// Where the next field lies in the file.
  var place: UInt64 { base + UInt64(position) }

  /// An unsigned integer of `width` bytes, at most 8.
  mutating func number(_ width: Int) throws(Halt) -> UInt64 {
    // Byte by byte and no slice, which would be counted: indexes of chunks are long.
    let start = position
    try skip(width)
    var number: UInt64 = 0
    for place in 0..<width { number |= UInt64(bytes[start + place]) &<< UInt64(8 * place) }
    return number
  }

  mutating func byte() throws(Halt) -> UInt8 {
    UInt8(truncatingIfNeeded: try number(1))
  }

  mutating func skip(_ count: Int) throws(Halt) {
    guard count >= 0, count <= remaining else { throw refused("ends within its fields") }
    position += count
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws(Halt) -> ArraySlice<UInt8> {
    let start = position
    try skip(count)
    return bytes[start..<start + count]
  }

  /// The next `count` bytes as fields of their own, called `name`.
  mutating func part(_ count: Int, _ name: String) throws(Halt) -> FieldReader {
    let start = position
    try skip(count)
    return FieldReader(bytes, from: start, to: start + count, at: base, name: name)
  }

  /// A text of `count` bytes, the null byte at its end included where there is one.
  mutating func text(_ count: Int, isTerminated: Bool) throws(Halt) -> String {
    var text = try take(count)
    if isTerminated, text.popLast() != 0 { throw refused("has a name without an end") }
    guard !text.isEmpty, !text.contains(0) else { throw refused("has a name that is not text") }
    return String(decoding: text, as: UTF8.self)
  }

  /// Skips a text that ends with a null byte.
  mutating func skipTerminated() throws(Halt) {
    guard let length = bytes[position..<end].firstIndex(of: 0).map({ $0 - position }), length > 0
    else { throw refused("has a name without an end") }
    try skip(length + 1)
  }

  /// Refuses fields behind the last one that is known.
  func requireEnd() throws(Halt) {
    if remaining > 0 { throw refused("has \(remaining) bytes too many") }
  }

  /// A finding that the bytes, whose checksum is right, say what no writer of shards would.
  func refused(_ what: String) -> Halt {
    .broken(Violation(.c012, "\(name) at byte \(origin) \(what)"))
  }
}
