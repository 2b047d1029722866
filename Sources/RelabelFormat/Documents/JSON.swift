/// A JSON value, as read from a document this package did not make.
public enum JSON: Hashable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number of at most 64 bits.
  case integer(Int64)
  /// Any other number.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSON])
  /// An object.
  case object([String: JSON])

  /// Reads UTF-8 text.
  ///
  /// - Throws: `.invalidInput` when the text is no JSON, an object has a name twice, values are
  ///   nested deeper than 64, or there are more than 4,194,304.
  /// - Complexity: O(bytes).
  public init(parsing bytes: [UInt8]) throws(RelabelError) {
    self = try JSONParser.read(bytes).value
  }

  /// The canonical text: keys sorted, no white space, slashes plain (spec, "Canonical JSON").
  ///
  /// - Throws: `.invalidInput` for a number that is not finite.
  public func canonical() throws(RelabelError) -> [UInt8] {
    try JSONWriter.text(of: self, .canonical)
  }

  /// The same value with line breaks, for people: what would steer a terminal is escaped.
  ///
  /// - Throws: `.invalidInput` for a number that is not finite.
  public func pretty() throws(RelabelError) -> String {
    String(decoding: try JSONWriter.text(of: self, .pretty), as: UTF8.self)
  }

  /// The same value on one line, for programs and people: what would steer a terminal is escaped.
  ///
  /// - Throws: `.invalidInput` for a number that is not finite.
  package func line() throws(RelabelError) -> String {
    String(decoding: try JSONWriter.text(of: self, .line), as: UTF8.self)
  }

  /// The member of an object, or nil.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  /// The text of a string, or nil.
  public var string: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// A whole number, or nil.
  public var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  /// A whole number from 0 to 2⁴⁰, or nil: more than any dataset has, and sums of them can't
  /// overflow.
  package var count: Int? {
    integer.flatMap { (0...(1 << 40)).contains($0) ? Int($0) : nil }
  }

  /// Any number, or nil.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The elements of an array, or nil.
  public var array: [JSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  /// True when the value is or holds a number that is not whole.
  package var holdsFraction: Bool {
    switch self {
    case .number: true
    case .array(let elements): elements.contains(where: \.holdsFraction)
    case .object(let members): members.values.contains(where: \.holdsFraction)
    default: false
    }
  }

  /// How many containers lie within one another.
  var depth: Int {
    switch self {
    case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
    case .object(let members): 1 + (members.values.lazy.map(\.depth).max() ?? 0)
    default: 0
    }
  }

  /// A string, or null for nil.
  public static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

  /// A number, or null for nil.
  public static func optional(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
}
