internal import ArgumentParser
import Glibc
internal import Relabel

/// How commands end.
enum Exit {
  /// Prints an error as one line and ends with the exit code of its kind.
  static func failing(_ error: RelabelError) -> ExitCode {
    Output.error("Error: \(error)")
    return ExitCode(error.code.status)
  }
}

/// What commands that read say in their help.
let readingExitCodes = """
  Exit codes: 0 done, 4 unsafe file, 5 corrupt file, 6 unsupported version or feature, 64 usage, \
  66 no such image or dataset, 70 internal error, 74 input or output failed.
  """

/// Results go to standard output, all else to standard error.
enum Output {
  static func result(_ text: String) {
    write(text + "\n", STDOUT_FILENO)
  }

  static func error(_ text: String) {
    write(text + "\n", STDERR_FILENO)
  }

  /// Replaces the current line of a terminal; nothing when standard error is none.
  static func progress(_ text: String) {
    if isTerminal { write("\r\u{1B}[K" + text, STDERR_FILENO) }
  }

  static let isTerminal = isatty(STDERR_FILENO) == 1

  private static func write(_ text: String, _ descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      // A closed pipe has nobody left to tell.
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(count, 0))
    }
  }
}

/// How a result is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
