internal import ArgumentParser
internal import Relabel
internal import RelabelVerification

/// `verify explain`: what one rule means and how to mend a finding.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain a rule: what it means, why it exists, and how to fix a finding.",
    discussion: "Exit codes: 0 done, 64 usage."
  )

  @Argument(
    help: "The id of the rule, such as V001.",
    completion: .list(Rule.allCases.map(\.id))
  )
  var rule: String

  @Option(help: "The form of the output: text or json.")
  var format: OutputFormat = .text

  func validate() throws {
    if Rule(rawValue: rule.uppercased()) == nil {
      throw ValidationError("There is no rule '\(rule)'; list-rules lists all.")
    }
  }

  func run() throws {
    guard let rule = Rule(rawValue: rule.uppercased()) else { return }
    switch format {
    case .text: try Output.document(rule.explained)
    case .json: try Output.document(rule.json().pretty())
    }
  }
}

/// `verify list-rules`: every rule there is.
struct ListRulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list-rules",
    abstract: "List the rules.",
    discussion: "Exit codes: 0 done, 64 usage."
  )

  @Option(help: "The form of the output: text or json.")
  var format: OutputFormat = .text

  func run() throws {
    switch format {
    case .text: try Output.lines(Rule.allCases.map(\.line))
    case .json: try Output.document(JSON.array(Rule.allCases.map { $0.json() }).pretty())
    }
  }
}

extension Rule {
  fileprivate var line: String {
    let name = severity.rawValue
    return "\(id)  \(name)\(String(repeating: " ", count: 9 - name.count))\(title)"
  }

  /// The section of the rule, for people.
  fileprivate var explained: String {
    let entry = RuleBook.current[self]
    let items = [
      ("Why", entry?.why), ("Severity", entry?.severity), ("Specification", entry?.specification),
      ("Fixture", entry?.fixture), ("Fix", entry?.fix),
    ]
    let lines = items.compactMap { name, text in
      text.flatMap { $0.isEmpty ? nil : "\(name): \($0)" }
    }
    return (["\(id) \(title)", "", entry?.meaning ?? "", ""] + lines).joined(separator: "\n")
  }

  /// The rule for programs.
  fileprivate func json() -> JSON {
    let entry = RuleBook.current[self]
    return .object([
      "id": .string(id),
      "title": .string(title),
      "stage": .string("\(stage)"),
      "severity": .string(severity.rawValue),
      "exit_code": .integer(Int64(outcome.exitStatus.rawValue)),
      "meaning": .optional(entry?.meaning),
      "why": .optional(entry?.why),
      "specification": .optional(entry?.specification),
      "fixture": .optional(entry?.fixture),
      "fix": .optional(entry?.fix),
    ])
  }
}
