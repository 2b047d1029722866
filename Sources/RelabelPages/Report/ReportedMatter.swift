internal import Relabel

/// Something that a person should look at first, or should know that it can't be seen here.
struct ReportedMatter: Hashable, Sendable {
  /// How grave it is.
  enum Gravity: String, Hashable, Sendable {
    /// Training on this dataset would go wrong.
    case bad
    /// Worth a look.
    case warning
    /// Good to know.
    case note
  }

  /// A word for programs and tests.
  let name: String
  let gravity: Gravity
  let title: String
  let text: String
  /// How many images it is about, and of how many; nil where it is about all.
  private(set) var count: Int?
  private(set) var all: Int?
  /// The section of the page that shows it.
  let section: String

  init(
    _ name: String,
    _ gravity: Gravity,
    _ title: String,
    _ text: String,
    count: (Int, of: Int)? = nil,
    in section: String
  ) {
    (self.name, self.gravity, self.title, self.text) = (name, gravity, title, text)
    (self.count, all, self.section) = (count?.0, count?.of, section)
  }

  /// For a page.
  var json: JSON {
    .object([
      "name": .string(name),
      "gravity": .string(gravity.rawValue),
      "title": .string(title),
      "text": .string(text),
      "count": count.map { .integer(Int64($0)) } ?? .null,
      "of": all.map { .integer(Int64($0)) } ?? .null,
      "section": .string(section),
    ])
  }
}

/// A share as percent, for a sentence.
func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

/// A share of a count as percent.
func percent(_ count: Int, of all: Int) -> String {
  all == 0 ? "none" : percent(Double(count) / Double(all))
}
