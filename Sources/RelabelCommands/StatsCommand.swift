public import ArgumentParser
internal import Relabel
internal import RelabelPages

/// `relabel stats`: the numbers behind a report.
public struct StatsCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "stats",
    abstract: "Print by class or by image the numbers that a report draws.",
    discussion: """
      The columns are those of 'relabel report --format json'. Entropies are in bits.

      \(readingExitCodes)
      """
  )

  /// What a row is about.
  enum Subject: String, ExpressibleByArgument, CaseIterable {
    case `class`, image
  }

  /// The form of the rows.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case text, json, tsv
  }

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(help: "What a row is about: class or image.")
  var by: Subject = .class

  @Option(
    name: .customLong("class"),
    help: ArgumentHelp(
      "Only this class, or the images whose source label or best class it is.",
      discussion: "A class is an id, a name or an index.",
      valueName: "class"
    ),
    completion: KeyCompletion.classes
  )
  var wanted: String?

  @Option(help: "The form of the output: text, json or tsv.")
  var format: Form = .text

  @OptionGroup var progress: ProgressOptions
  @OptionGroup var threads: JobsOption

  /// Makes the command.
  public init() {}

  /// Prints the rows.
  public func run() throws {
    do {
      let statistics = try DatasetStatistics(
        openLabelMaps(path),
        class: wanted,
        jobs: threads.jobs
      )
      // Rows on the same terminal would be mixed with it.
      let meter = StandardStream.output.isTerminal ? nil : progress.meter(of: "images")
      let progress: (Int, Int) -> Void = { meter?.show($0, of: $1) }
      let columns =
        by == .class ? DatasetStatistics.classColumns : DatasetStatistics.imageColumns
      var rows = StatisticsRows(columns, format)
      try rows.begin()
      switch by {
      case .class:
        try statistics.forEachClass(progress: progress) { (row) throws(RelabelError) in
          try rows.add(row)
        }
      case .image:
        try statistics.forEachImage(progress: progress) { (row) throws(RelabelError) in
          try rows.add(row)
        }
      }
      meter?.finish()
      try rows.end()
    } catch {
      throw Exit.failing(error)
    }
  }
}

/// Rows that are printed as they come.
private struct StatisticsRows {
  private let columns: [String]
  private let format: StatsCommand.Form
  /// Text that is printed together: a call for each row would cost more than measuring does.
  private var waiting = ""
  private var count = 0

  init(_ columns: [String], _ format: StatsCommand.Form) {
    (self.columns, self.format) = (columns, format)
  }

  mutating func begin() throws(RelabelError) {
    switch format {
    case .text: waiting = columns.map(Self.heading).joined(separator: "  ") + "\n"
    case .tsv: waiting = columns.joined(separator: "\t") + "\n"
    case .json: waiting = "["
    }
  }

  mutating func add(_ row: [String: JSON]) throws(RelabelError) {
    switch format {
    case .text:
      waiting += columns.map { Self.padded(Self.text(row[$0]), $0) }.joined(separator: "  ") + "\n"
    case .tsv: waiting += columns.map { Self.text(row[$0]) }.joined(separator: "\t") + "\n"
    case .json: waiting += (count == 0 ? "\n" : ",\n") + (try JSON.object(row).line())
    }
    count += 1
    if waiting.utf8.count > 1 << 16 { try flush() }
  }

  mutating func end() throws(RelabelError) {
    if format == .json { waiting += "\n]\n" }
    try flush()
  }

  private mutating func flush() throws(RelabelError) {
    try StandardStream.output.write(waiting)
    waiting = ""
  }

  /// A value on one line; nothing for what is not known.
  private static func text(_ value: JSON?) -> String {
    switch value {
    case .string(let text): text.printable
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .bool(let flag): flag ? "true" : "false"
    default: ""
    }
  }

  private static func heading(_ column: String) -> String { padded(column, column) }

  /// Names and keys to the left, numbers to the right.
  private static func padded(_ text: String, _ column: String) -> String {
    let isName = ["key", "name"].contains(column)
    let width = isName ? 24 : max(column.count, 8)
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return isName ? text + blanks : blanks + text
  }
}
