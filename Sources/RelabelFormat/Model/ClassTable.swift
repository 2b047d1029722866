/// The classes of a dataset: what each class index means.
public struct ClassTable: Hashable, Sendable {
  /// One class.
  public struct Entry: Hashable, Sendable {
    /// The identifier, such as a WNID.
    public let id: String
    /// The name for people.
    public let name: String

    /// Makes an entry.
    public init(id: String, name: String) {
      self.id = id
      self.name = name
    }
  }

  /// The classes in the order of their index.
  public let entries: [Entry]

  /// Makes a table.
  public init(entries: [Entry]) {
    self.entries = entries
  }

  /// Reads lines `ID<TAB>NAME`, one class a line in the order of the class index.
  ///
  /// Line ends of any system, blanks at the end of lines, blank lines at the end of the text and quotes around
  /// a whole field do not count.
  /// - Throws: `.usage` naming the first line that is not of this form or repeats an identifier.
  public init(parsing text: String, file: String) throws(RelabelError) {
    try self.init(lines: TextList.lines(Array(text.utf8), file: file), file: file)
  }

  private init(lines: [String], file: String) throws(RelabelError) {
    var entries: [Entry] = []
    var seen: [String: Int] = [:]
    for (index, line) in lines.enumerated() {
      let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        .map { TextList.unquoted($0) }
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw RelabelError(
          .usage,
          "line \(index + 1) of the class list is not ID<TAB>NAME",
          at: Location(file: file)
        )
      }
      let entry = Entry(id: parts[0], name: parts[1])
      if let earlier = seen.updateValue(index + 1, forKey: entry.id) {
        throw RelabelError(
          .usage,
          "class '\(entry.id)' stands on lines \(earlier) and \(index + 1)",
          at: Location(file: file)
        )
      }
      entries.append(entry)
    }
    self.init(entries: entries)
  }

  /// The class index of each identifier; the lowest of several.
  ///
  /// - Complexity: O(classes).
  package var indexes: [String: Int32] {
    Dictionary(
      entries.enumerated().map { ($1.id, Int32(clamping: $0)) },
      uniquingKeysWith: { first, _ in first }
    )
  }

  /// The name of a class, or its number when the table does not reach it.
  public func name(of classIndex: Int) -> String {
    entries.indices.contains(classIndex) ? entries[classIndex].name : "class \(classIndex)"
  }
}
