/// A rule of the spec that a file breaks, named by the rule's stable id.
package struct Violation: Error, Hashable, Sendable {
  /// The id of the rule, as in `spec/rules.md`.
  package let rule: String
  /// What is wrong, with the value found.
  package let message: String
  /// Where.
  package let location: Location

  package init(_ rule: String, _ message: String, at location: Location = Location()) {
    self.rule = rule
    self.message = message
    self.location = location
  }

  /// The violation as a reader's refusal.
  package func error(file: String?) -> RelabelError {
    let code: RelabelError.Code =
      switch rule {
      case "L002", "L003": .unsupported
      case "C002", "C003", "C006", "C010", "C011", "C012", "M009": .unsafeInput
      default: .corrupt
      }
    return RelabelError(
      code,
      "\(message) [\(rule)]",
      at: location.filled(from: Location(file: file))
    )
  }
}
