internal import ArgumentParser
internal import Relabel
internal import RelabelVerification

extension ReportFormat {
  /// All of them, for people.
  fileprivate static var names: String {
    let names = allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " or " + names.suffix(1).joined()
  }
}

/// The options of `verify` that say which reports are written, and where.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A report to write: \(ReportFormat.names). Repeatable.",
      discussion: """
        FORMAT prints the report. FORMAT=FILE writes it to a file, completely or not at all. If all \
        reports go to files, the text report is printed, too.
        """,
      valueName: "format[=file]"
    ),
    completion: .list(ReportFormat.allCases.map(\.rawValue))
  )
  var format: [ReportTarget] = []

  @Option(
    help: ArgumentHelp(
      "List at most this many findings in each report, the most severe first.",
      discussion: "The exit code and the counts do not change.",
      valueName: "n"
    )
  )
  var maxFindings: Int?

  @Flag(name: .shortAndLong, help: "Print only the findings that make the command fail.")
  var quiet = false

  func validate() throws {
    if let maxFindings, maxFindings < 0 {
      throw ValidationError("Please give --max-findings a number of at least 0.")
    }
    if printed.count > 1 {
      throw ValidationError("Only one report can be printed; name files for the others: json=FILE.")
    }
    let files = format.compactMap(\.file)
    if Set(files).count < files.count {
      throw ValidationError("Please give each report a file of its own.")
    }
  }

  /// The options as a report states them.
  var described: [String: JSON] {
    ["max_findings": maxFindings.map { .integer(Int64($0)) } ?? .null]
  }

  /// Refuses reports that would take the place of what is to be verified.
  func refuseOverwriting(_ paths: [String]) throws {
    for file in format.compactMap(\.file)
    where paths.contains(file) || file.hasSuffix(".h5") || file.hasSuffix("index.json") {
      throw ValidationError("A report can't be written to '\(file)', which is a name for labels.")
    }
  }

  /// Finds out early when a report could not be written.
  ///
  /// - Throws: `.io` naming the file.
  func check() throws(RelabelError) {
    for target in format { try target.check() }
  }

  /// Writes all reports and returns the exit code; a report that can't be written makes it 74.
  func write(_ report: Report) -> ExitStatus {
    var status = report.exitStatus
    for target in printed.isEmpty ? format + [ReportTarget(.text)] : format {
      do {
        try write(report, target)
      } catch {
        Output.error("Error: \(error)")
        if status != .internalFault { status = error.code.exitStatus }
      }
    }
    return status
  }

  private var printed: [ReportTarget] { format.filter { $0.file == nil } }

  private func write(_ report: Report, _ target: ReportTarget) throws(RelabelError) {
    if let file = target.file {
      return try target.write(report.formatted(as: target.format) + "\n", to: file)
    }
    let text =
      target.format == .text
      ? report.text(isColored: Self.isColored, isQuiet: quiet)
      : try report.formatted(as: target.format)
    if !text.isEmpty { try Output.document(text) }
  }

  /// True on a terminal that shows colours, unless the user wants none (https://no-color.org).
  private static var isColored: Bool {
    StandardStream.output.isTerminal && (Environment.variable("NO_COLOR") ?? "").isEmpty
      && Environment.variable("TERM") != "dumb"
  }
}
