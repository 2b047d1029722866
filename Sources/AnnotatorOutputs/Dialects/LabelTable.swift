import Relabel

/// Tables of labels of whole images: a line `PATH,LABEL,LABEL` or `PATH LABEL:SCORE` for each.
///
/// Fields are separated by tabs, else by commas, else by blanks, as the first line is. A label is a number, or an id
/// or a name of the class list; behind a colon it may have a score. A first line that begins with `path`, `file`,
/// `filename`, `image`, `img`, `key` or `name` names the columns.
///
/// The TSV of MultiLabel-ImageNet looks like such a table and is told apart by its fourth column.
struct LabelTable: Dialect {
  let name = "table of labels"
  let word = "labels"
  let extensions: [String] = []
  let endingsOfInputs = [".csv", ".tsv"]

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    if options.dialect == nil, try MultilabelTSV.isLikely(region, path: path) {
      return try MultilabelTSV.read(region, path: path, options)
    }
    var lines = TextLines(region, path: path)
    var builder = LabelSetBuilder(options)
    let labels = LabelWords(options)
    var separator: Separator?
    while let line = try lines.line() {
      if line.allSatisfy(\.isWhitespace) { continue }
      let how = separator ?? Separator(line)
      separator = how
      let fields = try how.fields(of: line, number: lines.number)
      if lines.number == 1, Self.columns.contains(fields[0].lowercased()) { continue }
      let key = ImageKey.strippingExtension(Self.plain(fields[0]))
      let words = fields.dropFirst().filter { !$0.isEmpty }
      try builder.add(key: key, at: "line \(lines.number)") { set throws(RelabelError) in
        for word in words { try Self.take(word, into: &set, labels) }
      }
    }
    let hasScores = builder.hasScores == true
    return try builder.finish(
      name,
      evidence: "lines of a path and labels\(hasScores ? " with scores" : ""), separated by"
        + " \(separator?.words ?? "nothing")",
      kind: nil
    )
  }

  private static let columns: Set<String> = [
    "path", "file", "filename", "file_name", "image", "img", "key", "name",
  ]

  /// A path without what says "here".
  static func plain(_ path: String) -> String {
    path.hasPrefix("./") ? String(path.dropFirst(2)) : path
  }

  private static func take(
    _ word: String,
    into set: inout LabelSet,
    _ labels: LabelWords
  ) throws(RelabelError) {
    guard let colon = word.lastIndex(of: ":") else {
      set.ids.append(try labels.classIndex(word))
      return
    }
    let number = String(word[word.index(after: colon)...])
    guard let score = Float(number), score.isFinite else {
      throw RelabelError(.invalidInput, "'\(number)' behind the colon of '\(word)' is not a score")
    }
    set.ids.append(try labels.classIndex(String(word[..<colon])))
    set.scores.append(score)
  }

  /// What stands between fields.
  private enum Separator {
    case tab, comma, blank

    init(_ line: String) {
      self = line.contains("\t") ? .tab : line.contains(",") ? .comma : .blank
    }

    var words: String {
      switch self {
      case .tab: "tabs"
      case .comma: "commas"
      case .blank: "blanks"
      }
    }

    func fields(of line: String, number: Int) throws(RelabelError) -> [String] {
      switch self {
      case .tab: return line.split(separator: "\t", omittingEmptySubsequences: false).map(trimmed)
      case .blank: return line.split(whereSeparator: \.isWhitespace).map(String.init)
      case .comma: break
      }
      guard line.contains("\"") else {
        return line.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
      }
      // Quotes as in RFC 4180: a quote within quotes stands twice.
      var fields = [""]
      var isQuoted = false
      var quotes = 0
      for character in line {
        if character == "\"" {
          quotes += 1
          if !isQuoted, quotes > 1, !fields[fields.count - 1].isEmpty {
            fields[fields.count - 1].append("\"")
          }
          isQuoted.toggle()
        } else if character == ",", !isQuoted {
          fields.append("")
          quotes = 0
        } else {
          fields[fields.count - 1].append(character)
        }
      }
      if isQuoted {
        throw RelabelError(.invalidInput, "line \(number) opens a quote and does not close it")
      }
      return fields.map { trimmed($0[...]) }
    }

    private func trimmed(_ field: Substring) -> String {
      var field = field
      while field.first?.isWhitespace == true { field.removeFirst() }
      while field.last?.isWhitespace == true { field.removeLast() }
      return String(field)
    }
  }
}
