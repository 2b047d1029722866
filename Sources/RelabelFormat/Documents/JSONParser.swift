/// Reads JSON texts: UTF-8, no name twice in an object, bounded in depth and number of values.
///
/// Foundation's decoder takes minutes for a megabyte of brackets, keeps one of two members of the same
/// name, and can't tell whether a text is canonical.
struct JSONParser {
  /// Deeper texts are refused (spec, section 16).
  static let maximumDepth: Int = 64
  /// So are texts of more values, members of objects and elements of arrays included.
  static let maximumValues: Int = 1 << 22

  private let bytes: [UInt8]
  private var position = 0
  private var values = 0
  /// The first thing that canonical JSON spells otherwise (spec, section 10.1).
  private var looseness: String?

  /// The value of a text, and why the text is not canonical, or nil when it is.
  ///
  /// Numbers that are not whole may be spelled in any way, since languages differ there.
  /// - Throws: `.invalidInput` saying where and why the text is no JSON.
  /// - Complexity: O(bytes).
  static func read(_ bytes: [UInt8]) throws(RelabelError) -> (value: JSON, looseness: String?) {
    var parser = JSONParser(bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpaces()
    guard parser.position == bytes.count else {
      throw parser.refused("something follows the value")
    }
    return (value, parser.looseness)
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func value(depth: Int) throws(RelabelError) -> JSON {
    values += 1
    guard values <= Self.maximumValues else {
      throw refused("it has more than \(Self.maximumValues) values")
    }
    skipSpaces()
    switch next {
    case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where skip("true"): return .bool(true)
    case UInt8(ascii: "f") where skip("false"): return .bool(false)
    case UInt8(ascii: "n") where skip("null"): return .null
    default: return try number()
    }
  }

  private mutating func elements(depth: Int) throws(RelabelError) -> [JSON] {
    try enter(depth)
    var elements: [JSON] = []
    if skipToken("]") { return elements }
    repeat { elements.append(try value(depth: depth)) } while skipToken(",")
    guard skipToken("]") else { throw refused("']' is missing") }
    return elements
  }

  private mutating func members(depth: Int) throws(RelabelError) -> [String: JSON] {
    try enter(depth)
    var members: [String: JSON] = [:]
    var last: String?
    if skipToken("}") { return members }
    repeat {
      skipSpaces()
      guard next == UInt8(ascii: "\"") else { throw refused("a name is missing") }
      let name = try string()
      // By code points: the order of UTF-8 bytes is the same.
      if let last, !last.utf8.lexicographicallyPrecedes(name.utf8) { note("the order of names") }
      last = name
      guard skipToken(":") else { throw refused("':' is missing") }
      guard members.updateValue(try value(depth: depth), forKey: name) == nil else {
        throw RelabelError(.invalidInput, "an object of the JSON document has a name twice")
      }
    } while skipToken(",")
    guard skipToken("}") else { throw refused("'}' is missing") }
    return members
  }

  /// Skips the bracket of a container.
  private mutating func enter(_ depth: Int) throws(RelabelError) {
    guard depth <= Self.maximumDepth else {
      throw refused("it nests deeper than \(Self.maximumDepth)")
    }
    position += 1
  }
}

extension JSONParser {
  private mutating func number() throws(RelabelError) -> JSON {
    let start = position
    _ = skip("-")
    if !skip("0") { try skipDigits("a value") }
    var isPlain = true
    if skip(".") {
      isPlain = false
      try skipDigits("a digit")
    }
    if skip("e") || skip("E") {
      isPlain = false
      if !skip("+") { _ = skip("-") }
      try skipDigits("a digit")
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isPlain, let value = Int64(text) {
      if text == "-0" { note("a zero with a sign") }
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else { throw refused("a number is too large") }
    guard let whole = Int64(exactly: value) else { return .number(value) }
    if !isPlain, abs(value) < 0x1p53 { note("a whole number with a fraction or an exponent") }
    return .integer(whole)
  }

  /// Skips at least one digit; `what` is missing without.
  private mutating func skipDigits(_ what: String) throws(RelabelError) {
    let start = position
    while let next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) { position += 1 }
    if position == start { throw refused("\(what) is missing") }
  }

  private mutating func string() throws(RelabelError) -> String {
    position += 1
    var unescaped: [UInt8] = []
    var start = position
    while let byte = next, byte != UInt8(ascii: "\"") {
      if byte < 0x20 { throw refused("a control character stands in a string") }
      guard byte == UInt8(ascii: "\\") else {
        position += 1
        continue
      }
      unescaped += bytes[start..<position]
      start = position
      let scalar = try escape()
      let canonical = UInt8(exactly: scalar.value).flatMap(JSONWriter.escape(of:))
      if canonical?.utf8.elementsEqual(bytes[start..<position]) != true { note("an escape") }
      unescaped += UTF8.encode(scalar).map(Array.init) ?? []
      start = position
    }
    unescaped += bytes[start..<position]
    guard skip("\"") else { throw refused("a string does not end") }
    guard let text = String(validating: unescaped, as: UTF8.self) else {
      throw refused("a string is not valid UTF-8")
    }
    return text
  }

  private mutating func escape() throws(RelabelError) -> Unicode.Scalar {
    position += 1
    guard let byte = next else { throw refused("an escape does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try escapedScalar()
    default: throw refused("an escape is unknown")
    }
  }

  /// What follows `\u`: four hexadecimal digits, or two halves of a pair.
  private mutating func escapedScalar() throws(RelabelError) -> Unicode.Scalar {
    var value = try hexadecimal()
    if (0xD800..<0xDC00).contains(value), skip("\\u") {
      let low = try hexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw refused("half a character is escaped") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw refused("half a character is escaped") }
    return scalar
  }

  private mutating func hexadecimal() throws(RelabelError) -> UInt32 {
    let digits = bytes[position..<min(position + 4, bytes.count)]
    guard digits.count == 4, digits.first != UInt8(ascii: "+"),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw refused("an escape lacks its four digits") }
    position += 4
    return value
  }
}

extension JSONParser {
  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpaces() {
    let start = position
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
    if position > start { note("white space") }
  }

  /// True when the next bytes are `text`, which are skipped then.
  private mutating func skip(_ text: StaticString) -> Bool {
    let isThere = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
    if isThere { position += text.utf8CodeUnitCount }
    return isThere
  }

  /// The same behind spaces.
  private mutating func skipToken(_ text: StaticString) -> Bool {
    skipSpaces()
    return skip(text)
  }

  private mutating func note(_ what: String) {
    if looseness == nil { looseness = "\(what) at byte \(position)" }
  }

  private func refused(_ what: String) -> RelabelError {
    RelabelError(.invalidInput, "this is not a JSON document: \(what) at byte \(position)")
  }
}
