internal import Relabel

/// An object of a document that a person wrote: what it does not know, it refuses by name.
struct StrictObject {
  private let members: [String: JSON]
  private let name: String
  private let file: String

  /// - Parameters:
  ///   - json: the value.
  ///   - name: what the object is, for messages.
  ///   - known: the members that it may have.
  ///   - file: where it stands, for messages.
  /// - Throws: `.usage` naming the first member that is not known.
  init(
    _ json: JSON,
    _ name: String,
    known: [String],
    file: String
  ) throws(RelabelError) {
    (self.name, self.file) = (name, file)
    guard case .object(let members) = json else {
      throw RelabelError(.usage, "\(name) is not an object", at: Location(file: file))
    }
    self.members = members
    if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
      throw refusal(
        "has an unknown member '\(unknown)'; known are \(known.joined(separator: ", "))"
      )
    }
  }

  subscript(key: String) -> JSON? { members[key] }

  /// A string, or nil when there is none.
  func string(_ key: String) throws(RelabelError) -> String? {
    guard let value = members[key] else { return nil }
    guard let text = value.string else { throw refusal("needs a string as '\(key)'") }
    return text
  }

  /// One of the words of `Word`, or nil when there is none.
  func word<Word: RawRepresentable<String> & CaseIterable>(
    _ key: String
  ) throws(RelabelError) -> Word? {
    guard let text = try string(key) else { return nil }
    if let word = Word(rawValue: text) { return word }
    let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
    throw refusal("has the \(key) '\(text)', which is not one of \(words)")
  }

  /// An error of this object.
  func refusal(_ fault: String) -> RelabelError {
    RelabelError(.usage, "\(name) \(fault)", at: Location(file: file))
  }
}
