/// What a page asks for, after the gate has let it in.
package struct Request: Sendable {
  /// What is wanted.
  package enum Method: String, Sendable {
    /// To be told something.
    case get = "GET"
    /// To have something noted.
    case post = "POST"
  }

  /// What is wanted.
  package let method: Method
  /// The part of the address before the `?`, as it was sent: it is compared with names, and never leads to a file.
  package let path: String
  /// The fields behind the `?`, decoded; of two with one name the last counts.
  package let fields: [String: String]
  /// What was sent along.
  package internal(set) var body: [UInt8] = []

  /// Takes an address apart.
  ///
  /// - Returns: nil for one whose fields are not text in UTF-8.
  package init?(_ method: Method, address: String) {
    let parts = address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.method = method
    path = parts.first.map(String.init) ?? ""
    var fields: [String: String] = [:]
    for field in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(sides[0]),
        let value = Self.decoded(sides.count > 1 ? sides[1] : "")
      else { return nil }
      fields[name] = value
    }
    self.fields = fields
  }

  /// A whole number of at least 0 that a field holds; nil for anything else.
  package func number(_ name: String) -> Int? {
    guard let text = fields[name], text.utf8.count <= 12,
      text.utf8.allSatisfy({ (48...57).contains($0) })
    else { return nil }
    return Int(text)
  }

  /// The text of a percent-encoded field; nil where it is none.
  private static func decoded(_ field: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = field.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
        else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
  }
}

/// What a page is answered.
package struct Response: Sendable {
  /// The status of HTTP.
  package let status: Int
  /// The media type of the body.
  package let type: String
  /// The answer.
  package let body: [UInt8]

  /// Makes an answer.
  package init(_ status: Int = 200, type: String, _ body: [UInt8]) {
    (self.status, self.type, self.body) = (status, type, body)
  }

  /// An answer of one sentence, for people.
  package init(_ status: Int, _ text: String) {
    self.init(
      status,
      type: "text/plain; charset=utf-8",
      Array(text.isEmpty ? "".utf8 : "\(text)\n".utf8)
    )
  }
}
