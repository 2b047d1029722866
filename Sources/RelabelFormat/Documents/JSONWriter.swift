/// Writes JSON texts: canonical ones (spec, "Canonical JSON"), or such as people may look at.
struct JSONWriter {
  /// For whom a text is.
  enum Style {
    /// Programs: the one spelling that a digest covers.
    case canonical
    /// Programs and terminals, on one line: nothing in it steers a terminal or hides.
    case line
    /// As `line`, with line breaks.
    case pretty
  }

  private var bytes: [UInt8] = []
  private let style: Style
  private var depth = 0

  /// The text of a value.
  ///
  /// - Throws: `.invalidInput` for a number that is not finite.
  /// - Complexity: O(bytes), and sorting the names of each object.
  static func text(of value: JSON, _ style: Style) throws(RelabelError) -> [UInt8] {
    var writer = JSONWriter(style)
    try writer.write(value)
    return writer.bytes
  }

  private init(_ style: Style) { self.style = style }

  private mutating func write(_ value: JSON) throws(RelabelError) {
    switch value {
    case .null: append("null")
    case .bool(let value): append(value ? "true" : "false")
    case .integer(let value): append("\(value)")
    case .number(let value): try write(value)
    case .string(let text): write(text)
    case .array(let elements):
      try write(elements, between: "[", "]") { (writer, element) throws(RelabelError) in
        try writer.write(element)
      }
    case .object(let members):
      // By code points: the order of UTF-8 bytes is the same.
      let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      try write(sorted, between: "{", "}") { (writer, member) throws(RelabelError) in
        writer.write(member.key)
        writer.append(writer.style == .pretty ? ": " : ":")
        try writer.write(member.value)
      }
    }
  }

  private mutating func write<Element>(
    _ elements: [Element],
    between opening: String,
    _ closing: String,
    _ write: (inout JSONWriter, Element) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    append(opening)
    depth += 1
    for (place, element) in elements.enumerated() {
      if place > 0 { append(",") }
      breakLine()
      try write(&self, element)
    }
    depth -= 1
    if !elements.isEmpty { breakLine() }
    append(closing)
  }

  private mutating func write(_ number: Double) throws(RelabelError) {
    guard number.isFinite else {
      throw RelabelError(.invalidInput, "the document holds a number that JSON can't")
    }
    // Whole numbers that every reader holds exactly have no fraction, and no sign when 0.
    if abs(number) < 0x1p53, let whole = Int64(exactly: number) { return append("\(whole)") }
    let text = "\(number)"
    append(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
  }

  private mutating func write(_ text: String) {
    append("\"")
    if style == .canonical || !text.unicodeScalars.contains(where: \.isHostile) {
      for byte in text.utf8 { write(byte) }
    } else {
      for scalar in text.unicodeScalars {
        if scalar.isHostile && scalar.value >= 0x20 {
          for unit in UTF16.encode(scalar) ?? .init() { append(Self.escape(ofUnit: unit)) }
        } else {
          for byte in UTF8.encode(scalar) ?? .init() { write(byte) }
        }
      }
    }
    append("\"")
  }

  private mutating func write(_ byte: UInt8) {
    if let escape = Self.escape(of: byte) { append(escape) } else { bytes.append(byte) }
  }

  private static func escape(ofUnit unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// How a character is escaped, or nil when it stands for itself.
  static func escape(of byte: UInt8) -> String? {
    switch byte {
    case UInt8(ascii: "\""): "\\\""
    case UInt8(ascii: "\\"): "\\\\"
    case 0x08: "\\b"
    case 0x09: "\\t"
    case 0x0A: "\\n"
    case 0x0C: "\\f"
    case 0x0D: "\\r"
    case ..<0x20: "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))"
    default: nil
    }
  }

  private mutating func append(_ text: String) { bytes += text.utf8 }

  private mutating func breakLine() {
    guard style == .pretty else { return }
    append("\n")
    for _ in 0..<depth { append("  ") }
  }
}
