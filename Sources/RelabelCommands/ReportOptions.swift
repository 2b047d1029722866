internal import ArgumentParser
import Glibc
internal import Relabel
internal import Verification

/// The options of `verify` that say which reports are written, and where.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A report to write: text, json, ndjson, sarif, junit or github; repeatable.",
      discussion: """
        FORMAT is printed, FORMAT=FILE written to a file, complete or not at all. When only files are \
        asked for, the text is printed, too.
        """,
      valueName: "format[=file]"
    ),
    completion: .list(ReportFormat.allCases.map(\.rawValue))
  )
  var format: [ReportTarget] = []

  @Option(
    help: ArgumentHelp(
      "List at most this many findings in each report, the gravest first.",
      discussion: "The exit code and the counts do not depend on it.",
      valueName: "n"
    )
  )
  var maxFindings: Int?

  @Flag(name: .shortAndLong, help: "Print only what makes the exit code fail.")
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
  func write(_ report: Report) -> Int32 {
    var status = report.exitCode
    for target in printed.isEmpty ? format + [ReportTarget(.text)] : format {
      do {
        try write(report, target)
      } catch {
        Output.error("Error: \(error)")
        if status != 70 { status = error.code.status }
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
    if !text.isEmpty { Output.result(text) }
  }

  /// True on a terminal that shows colours, unless the user wants none (https://no-color.org).
  private static var isColored: Bool {
    func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
    return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").isEmpty && variable("TERM") != "dumb"
  }
}

/// A report and where it goes.
struct ReportTarget: ExpressibleByArgument {
  let format: ReportFormat
  /// Nil for standard output.
  let file: String?

  init(_ format: ReportFormat) { (self.format, file) = (format, nil) }

  /// Reads `FORMAT`, `FORMAT=-` or `FORMAT=FILE`.
  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let format = ReportFormat(rawValue: String(parts[0])), parts.last != "" else {
      return nil
    }
    self.format = format
    file = parts.count == 1 || parts[1] == "-" ? nil : String(parts[1])
  }

  /// - Throws: `.io` when the file can't be written, as far as that can be known before.
  func check() throws(RelabelError) {
    guard let file else { return }
    if Folder.exists(file) {
      let message = "the report can't be written: this is a folder"
      throw RelabelError(.io, message, at: Location(file: file))
    }
    if isSpecial(file) { return }
    let folder = Self.folder(of: file)
    guard Folder.exists(folder), access(folder, W_OK) == 0 else {
      let message = "the report can't be written: the folder is missing or may not be written to"
      throw RelabelError(.io, message, at: Location(file: file))
    }
  }

  /// - Throws: `.io` naming the file.
  func write(_ text: String, to file: String) throws(RelabelError) {
    if isSpecial(file) { return try writeThrough(text, file) }
    try PublishedFile.write(Array(text.utf8), to: file)
  }

  /// True for what a file must not take the place of, such as a pipe or a device.
  private func isSpecial(_ file: String) -> Bool {
    var status = stat()
    return stat(file, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }

  private func writeThrough(_ text: String, _ file: String) throws(RelabelError) {
    guard let stream = fopen(file, "w") else { throw .system("can't be opened", file) }
    let written = fwrite(text, 1, text.utf8.count, stream)
    guard fclose(stream) == 0, written == text.utf8.count else {
      throw .system("can't be written", file)
    }
  }

  private static func folder(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }
}
