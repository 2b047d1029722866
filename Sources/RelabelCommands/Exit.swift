internal import ArgumentParser
internal import Relabel

/// How commands end.
enum Exit {
  /// A sentence of a help text: the statuses a command ends with, each with its meaning there, or with its
  /// own title.
  static func codes(_ statuses: [ExitStatus], _ meanings: [ExitStatus: String] = [:]) -> String {
    let list = statuses.map { "\($0.rawValue) \(meanings[$0] ?? $0.title)" }
    return "Exit codes: \(list.joined(separator: ", "))."
  }

  /// Prints an error as one line and ends with the exit code of its kind.
  static func failing(_ error: RelabelError) -> ExitCode {
    Output.error("Error: \(error)")
    return ExitCode(error.code.exitStatus.rawValue)
  }
}

extension RelabelError {
  /// The error as a document, for programs that asked for JSON: what is not known is null.
  var document: JSON {
    .object([
      "schema_version": .string("1.0"),
      "error": .object([
        "exit_code": .integer(Int64(code.exitStatus.rawValue)),
        "message": .string(message),
        "rule": .optional(rule?.id),
        "file": .optional(location.file),
        "dataset": .optional(location.dataset),
        "key": .optional(location.key),
        "row": location.row.map { .integer(Int64($0)) } ?? .null,
        "cell": location.cell.map { .array([$0.y, $0.x].map { .integer(Int64($0)) }) } ?? .null,
      ]),
    ])
  }
}

/// What commands that read say in their help.
let readingExitCodes = Exit.codes(
  [.success, .findings, .unsafe, .corrupt, .unsupported, .usage, .notFound, .internalFault, .io]
)

/// What comparing says in its help.
let comparingExitCodes = Exit.codes(
  [.success, .findings, .unsafe, .corrupt, .unsupported, .usage, .notFound, .internalFault, .io],
  [
    .success: "the labels are the same", .findings: "they differ",
    .corrupt: "a file is corrupt or breaks a rule",
  ]
)

/// What commands that verify say in their help.
let verifyingExitCodes =
  Exit.codes(
    [
      .success, .findings, .incomplete, .unsafe, .corrupt, .unsupported, .usage, .internalFault,
      .io,
    ],
    [
      .success: "sound", .findings: "findings", .incomplete: "not everything was checked",
      .unsafe: "unsafe", .corrupt: "corrupt",
    ]
  )
  + " If several apply, the first of these is the exit code: 70, 74, 5, 4, 6, 1, 3, 0."

/// What packing says in its help.
let packingExitCodes = Exit.codes(
  [.success, .incomplete, .unsafe, .corrupt, .usage, .internalFault, .io],
  [
    .incomplete: "done, but inputs were left out", .unsafe: "an input is unsafe",
    .corrupt: "an input is broken", .usage: "wrong usage, or a dataset is there already",
  ]
)

/// What recovery says in its help.
let recoveringExitCodes = Exit.codes(
  [.success, .incomplete, .corrupt, .unsupported, .usage, .notFound, .internalFault, .io],
  [
    .success: "everything was saved",
    .incomplete:
      "done, but something is lost, or may be lost (there is no sound index.json)",
    .corrupt: "nothing could be saved", .unsupported: "the dataset needs a newer version",
    .usage: "wrong usage, or a dataset is there already", .notFound: "no such dataset",
  ]
)

/// Results go to standard output, all else to standard error.
enum Output {
  /// Prints lines for people, each of them through the gate: a name from a file makes no line of its own
  /// and steers no terminal.
  ///
  /// - Throws: `.io` when they can't be written.
  static func lines(_ lines: [String]) throws(RelabelError) {
    try document(lines.map(\.printable).joined(separator: "\n"))
  }

  /// Prints a document whose format has escaped what comes from files.
  ///
  /// - Throws: `.io` when it can't be written.
  static func document(_ text: String) throws(RelabelError) {
    try StandardStream.output.write(text + "\n")
  }

  /// Prints lines to standard error, through the gate; if standard error can't be written, nothing can report that.
  static func error(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(\.printable)
    StandardStream.error.say(lines.joined(separator: "\n") + "\n")
  }

  /// Replaces the current line of a terminal; does nothing if standard error is not a terminal.
  static func progress(_ text: String) {
    if isTerminal { StandardStream.error.say("\r\u{1B}[K" + text) }
  }

  static let isTerminal = StandardStream.error.isTerminal
}

/// How a result is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
