internal import FoundationEssentials

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
  /// - Throws: `.invalidInput` when the text is no JSON, or an object has a name twice.
  public init(parsing bytes: [UInt8]) throws(RelabelError) {
    do {
      self = try JSONDecoder().decode(JSON.self, from: Data(bytes))
    } catch {
      throw RelabelError(.invalidInput, "this is not a JSON document")
    }
    // The decoder keeps one of two members of the same name and says nothing.
    guard memberCount == Self.colons(bytes) else {
      throw RelabelError(.invalidInput, "an object of the JSON document has a name twice")
    }
  }

  private var memberCount: Int {
    switch self {
    case .array(let elements): elements.reduce(0) { $0 + $1.memberCount }
    case .object(let members): members.values.reduce(members.count) { $0 + $1.memberCount }
    default: 0
    }
  }

  /// Colons outside strings: one for each member that was written.
  private static func colons(_ bytes: [UInt8]) -> Int {
    var (count, isInString, isEscaped) = (0, false, false)
    for byte in bytes {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\"") {
        isInString.toggle()
      } else if isInString {
        isEscaped = byte == UInt8(ascii: "\\")
      } else if byte == UInt8(ascii: ":") {
        count += 1
      }
    }
    return count
  }

  /// The canonical text: keys sorted, no white space, slashes plain (spec, "Canonical JSON").
  public func canonical() throws(RelabelError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return try Array(encoder.encode(self))
    } catch {
      throw RelabelError(.invalidInput, "the document holds a number that JSON can't")
    }
  }

  /// The same value with line breaks, for people.
  public func pretty() throws(RelabelError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      throw RelabelError(.invalidInput, "the document holds a number that JSON can't")
    }
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

  /// A string, or null for nil.
  public static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

  /// A number, or null for nil.
  public static func optional(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
}

extension JSON: Codable {
  /// Reads whichever kind of value comes next.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  /// Writes the value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
