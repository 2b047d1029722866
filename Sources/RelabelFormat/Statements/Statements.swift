/// Something that is said of a whole dataset, and the rule that whoever contradicts it breaks.
package struct Statement: Hashable, Sendable {
  package let name: String
  package var value: JSON
  package let rule: Rule

  package init(_ name: String, _ value: JSON, _ rule: Rule) {
    self.name = name
    self.value = value
    self.rule = rule
  }
}

/// What a shard, or the index for it, says of a whole dataset, in a fixed order (spec, sections 11.2 and 11.7).
///
/// The one place that compares shards with their index and with each other, for reader, verifier and recovery.
package struct Statements: Hashable, Sendable {
  package private(set) var all: [Statement]

  package init(_ all: [Statement] = []) { self.all = all }

  /// The value under a name, or nil where nothing is said.
  package subscript(name: String) -> JSON? { all.first { $0.name == name }?.value }

  /// Says something more, or something else.
  package mutating func say(_ name: String, _ value: JSON, _ rule: Rule) {
    if let place = all.firstIndex(where: { $0.name == name }) {
      all[place].value = value
    } else {
      all.append(Statement(name, value, rule))
    }
  }

  /// Those of one rule alone.
  package func filtered(by rule: Rule) -> Statements { Statements(all.filter { $0.rule == rule }) }

  /// What these say otherwise than `expected`, in its order.
  ///
  /// What only the index says has not been found out of this shard, so it is passed over; what shards share
  /// every one of them says.
  package func differences(from expected: Statements) -> [Difference] {
    expected.all.compactMap { expected in
      guard let found = self[expected.name] ?? (expected.rule == .m008 ? .null : nil),
        !found.isSame(as: expected.value)
      else { return nil }
      return Difference(expected: expected, found: found)
    }
  }

  /// The names and values as one object.
  package var members: [String: JSON] {
    Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.value) })
  }
}

extension Statements {
  /// Two sources that say different things.
  package struct Difference: Hashable, Sendable {
    package let expected: Statement
    package let found: JSON

    package var name: String { expected.name }

    /// The broken rule, with the names of both sources.
    package func violation(in source: String, against other: String) -> Violation {
      let values = "'\(name)' is \(found.plain) in \(source), \(expected.value.plain) in \(other)"
      let meaning = expected.rule == .m005 ? ": it is not the file that was listed" : ""
      return Violation(expected.rule, values + meaning)
    }
  }
}

extension JSON {
  /// True for equal values; a whole number may come back from a document as another case of the enum.
  fileprivate func isSame(as other: JSON) -> Bool {
    if let number, let other = other.number { return number == other }
    if let array, let other = other.array {
      return array.count == other.count && zip(array, other).allSatisfy { $0.isSame(as: $1) }
    }
    return self == other
  }

  /// The value as an error shows it.
  fileprivate var plain: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let text): text
    case .array(let elements): elements.map(\.plain).joined(separator: ", ")
    case .object(let members):
      members.sorted { $0.key < $1.key }
        .map { "\($0.key) \($0.value.plain)" }
        .joined(separator: ", ")
    }
  }
}
