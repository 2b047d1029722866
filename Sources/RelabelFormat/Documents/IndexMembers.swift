/// Typed access to the members of an object of `index.json`; each form is refused by `M003`.
struct IndexMembers {
  private let json: JSON
  private let owner: String

  /// - Parameters:
  ///   - json: the object; anything else has no members.
  ///   - owner: what it is called in a message.
  init(_ json: JSON, _ owner: String) {
    self.json = json
    self.owner = owner
  }

  private func missing(_ name: String, _ what: String) -> Violation {
    Violation(.m003, "\(owner) lacks '\(name)', \(what)")
  }

  func string(_ name: String) throws(Violation) -> String {
    guard let value = json[name]?.string else { throw missing(name, "a string") }
    return value
  }

  func optionalString(_ name: String) throws(Violation) -> String? {
    if json[name] == .null { return nil }
    return try string(name)
  }

  /// A string that says something.
  func words(_ name: String) throws(Violation) -> String {
    let text = try string(name)
    if text.isEmpty { throw Violation(.m003, "'\(name)' of \(owner) is an empty string") }
    return text
  }

  func digest(_ name: String) throws(Violation) -> String {
    let text = try string(name)
    guard text.isHexDigest else {
      throw Violation(.m003, "'\(name)' of \(owner) is '\(text)', not 64 hexadecimal digits")
    }
    return text
  }

  func optionalDigest(_ name: String) throws(Violation) -> String? {
    if json[name] == .null { return nil }
    return try digest(name)
  }

  func number(_ name: String) throws(Violation) -> Double {
    guard let value = json[name]?.number else { throw missing(name, "a number") }
    return value
  }

  /// A score, so one that float32 holds.
  func score(_ name: String) throws(Violation) -> Float {
    let value = Float(try number(name))
    guard value.isFinite else {
      throw Violation(
        .m003,
        "'\(name)' of \(owner) is not a score: it is out of the range of float32"
      )
    }
    return value
  }

  /// The largest error of the stored scores, or null if the writer did not note it.
  func optionalError(_ name: String) throws(Violation) -> Double? {
    if json[name] == .null { return nil }
    let value = try number(name)
    guard value >= 0 else {
      throw Violation(.m003, "'\(name)' of \(owner) is \(value), not a number of at least 0")
    }
    return value
  }

  func count(_ name: String) throws(Violation) -> Int {
    guard let value = json[name]?.count else {
      throw missing(name, "a whole number of at least 0")
    }
    return value
  }

  func array(_ name: String) throws(Violation) -> [JSON] {
    guard let value = json[name]?.array else { throw missing(name, "an array") }
    return value
  }
}
