public import RelabelFormat
internal import Relabel

/// The explanation of each rule, from `spec/rules.md`; the document is part of the program.
public struct RuleBook: Sendable {
  /// The section of one rule.
  public struct Entry: Hashable, Sendable {
    /// What breaks the rule.
    public let meaning: String
    /// Why the rule exists.
    public let why: String
    /// Severity and exit code, in words.
    public let severity: String
    /// The sections of `relabel-hdf5.md` that say so.
    public let specification: String
    /// A file that breaks this rule: its path from the folder of the specification.
    public let fixture: String
    /// How to fix a finding.
    public let fix: String
    /// The whole section, as Markdown.
    public let text: String
  }

  private let entries: [String: Entry]

  /// The book of this version.
  public static let current: RuleBook = RuleBook(
    String(decoding: PackageResources.rules_md, as: UTF8.self)
  )

  /// Reads the sections `### ID Title` of a Markdown document.
  init(_ document: String) {
    var entries: [String: Entry] = [:]
    for section in document.split(separator: "\n### ").dropFirst() {
      let text = section.split(separator: "\n## ")[0]
      entries[String(text.prefix { $0 != " " })] = Entry("### \(text)")
    }
    self.entries = entries
  }

  /// The section of a rule, or nil.
  public subscript(rule: Rule) -> Entry? { entries[rule.id] }
}

extension RuleBook.Entry {
  /// Reads `paragraph`, then items that begin `- *Name*: `; an item may hold a second name.
  fileprivate init(_ section: String) {
    let body = section.split(separator: "\n", maxSplits: 1).last ?? ""
    let parts = body.replacing("- *", with: "\u{0}").replacing(
      " *Specification*",
      with: "\u{0}Specification*"
    )
    .split(separator: "\u{0}")
    var items: [Substring: String] = [:]
    for part in parts.dropFirst() {
      let name = part.prefix { $0 != "*" }
      items[name] = Self.unwrapped(part.dropFirst(name.count + 2))
    }
    meaning = Self.unwrapped(parts.first ?? "")
    why = items["Why"] ?? ""
    severity = (items["Severity"] ?? "").withoutFullStop
    specification = (items["Specification"] ?? "").withoutFullStop
    fixture = (items["Fixture"] ?? "").withoutFullStop.replacing("`", with: "")
    fix = items["Fix"] ?? ""
    text = section.trimmingNewlines
  }

  /// Lines joined by spaces.
  private static func unwrapped(_ text: Substring) -> String {
    text.split(whereSeparator: { $0 == "\n" || $0 == " " }).joined(separator: " ")
  }
}

extension String {
  fileprivate var withoutFullStop: String { hasSuffix(".") ? String(dropLast()) : self }

  fileprivate var trimmingNewlines: String {
    var text = self[...]
    while text.last == "\n" { text.removeLast() }
    return String(text)
  }
}
