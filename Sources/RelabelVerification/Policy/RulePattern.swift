internal import Relabel
public import RelabelFormat

/// A rule's id, or several of them: `*` stands for any text, `?` for one character.
public struct RulePattern: Hashable, Sendable {
  /// The pattern as it was written.
  public let text: String

  /// Reads a pattern; nil when it matches no rule there is.
  public init?(_ text: String) {
    self.text = text
    if !Rule.allCases.contains(where: matches) { return nil }
  }

  /// True when the pattern names the rule.
  public func matches(_ rule: Rule) -> Bool { Wildcard.matches(rule.id, text) }
}
