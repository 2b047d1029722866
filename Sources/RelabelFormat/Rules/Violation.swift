/// A rule of the spec that a file breaks, and where.
package struct Violation: Error, Hashable, Sendable {
  /// The rule.
  package let rule: Rule
  /// What is wrong, with the value found.
  package let message: String
  /// Where.
  package let location: Location

  package init(_ rule: Rule, _ message: String, at location: Location = Location()) {
    self.rule = rule
    self.message = message
    self.location = location
  }

  /// The violation as a reader's refusal.
  package func error(file: String?) -> RelabelError {
    RelabelError(rule, message, at: location.filled(from: Location(file: file)))
  }
}
