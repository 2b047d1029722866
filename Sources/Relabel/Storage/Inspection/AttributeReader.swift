/// Reads attributes of one object and reports those that are missing or of another type.
struct AttributeReader {
  private let attributes: [String: Attribute]
  private let rule: Rule
  private let place: Location
  private let report: (Violation) -> Void

  init(
    _ object: ObjectContents,
    rule: Rule,
    at place: Location = Location(),
    report: @escaping (Violation) -> Void
  ) {
    attributes = Dictionary(object.attributes.map { ($0.name, $0) }) { first, _ in first }
    self.rule = rule
    self.place = place
    self.report = report
  }

  var names: [String] { attributes.keys.sorted() }

  func has(_ name: String) -> Bool { attributes[name] != nil }

  /// Reports strings of vendors that break the rules of all strings (spec, sections 3.6 and 12.4).
  func inspectVendors() {
    for name in names where name.hasPrefix("x-") {
      if let fault = attributes[name]?.faultOfString { fail(.l004, "attribute '\(name)' \(fault)") }
    }
  }

  func fail(_ message: String) { report(Violation(rule, message, at: place)) }

  /// Reports a violation of another rule than this reader's own.
  func fail(_ rule: Rule, _ message: String) { report(Violation(rule, message, at: place)) }

  /// The bytes of a scalar UTF-8 string, or nil after a report.
  func bytes(_ name: String) -> [UInt8]? {
    guard let attribute = present(name) else { return nil }
    guard attribute.shape.isEmpty, case .string(let bytes)? = attribute.value else {
      fail("attribute '\(name)' is of type \(attribute.type), not one null-padded UTF-8 string")
      return nil
    }
    return bytes
  }

  private func present(_ name: String) -> Attribute? {
    if attributes[name] == nil { fail("attribute '\(name)' is missing") }
    return attributes[name]
  }

  /// A scalar UTF-8 string, or nil after a report.
  func string(_ name: String) -> String? {
    guard let bytes = bytes(name) else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      fail("attribute '\(name)' is not valid UTF-8")
      return nil
    }
    if let fault = attributes[name]?.faultOfString {
      fail("attribute '\(name)' \(fault)")
      return nil
    }
    return text
  }

  /// One of an enumeration's words, or nil after a report.
  func word<Word: RawRepresentable & CaseIterable>(
    _ name: String,
    _: Word.Type
  ) -> Word? where Word.RawValue == String {
    guard let text = string(name) else { return nil }
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      fail("attribute '\(name)' is '\(text)', not one of \(words)")
      return nil
    }
    return word
  }

  /// A scalar of 64-bit integer type, or nil after a report.
  func integer(_ name: String) -> Int64? {
    guard let attribute = present(name) else { return nil }
    guard attribute.type == .int64, attribute.shape.isEmpty,
      case .integers(let values)? = attribute.value
    else {
      fail(
        "attribute '\(name)' is of type \(attribute.type) and shape \(attribute.shape), not one int64"
      )
      return nil
    }
    return values[0]
  }

  /// 64-bit integers of a count, or nil after a report.
  func integers(_ name: String, count: Int) -> [Int64]? {
    guard let attribute = present(name) else { return nil }
    guard attribute.type == .int64, attribute.shape == [count],
      case .integers(let values)? = attribute.value
    else {
      fail(
        "attribute '\(name)' is of type \(attribute.type) and shape \(attribute.shape), not \(count) int64"
      )
      return nil
    }
    return values
  }

  /// Floats of one type and count (a scalar for nil), or nil after a report.
  func floats(_ name: String, _ type: ElementType, count: Int? = nil) -> [Double]? {
    guard let attribute = present(name) else { return nil }
    guard attribute.type == type, attribute.shape == (count.map { [$0] } ?? []),
      case .floats(let values)? = attribute.value
    else {
      fail(
        "attribute '\(name)' is of type \(attribute.type) and shape \(attribute.shape), not \(type)"
      )
      return nil
    }
    return values
  }

  /// The attribute as stored.
  subscript(name: String) -> Attribute? { attributes[name] }
}
