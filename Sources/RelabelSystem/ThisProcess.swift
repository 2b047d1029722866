internal import Glibc
package import RelabelFormat

/// The process that this code runs in.
package enum ThisProcess {
  /// Its number, which is another in a forked child.
  package static var id: Int32 { getpid() }

  /// Refuses arguments that are not text, before one of them names another file than the user meant.
  ///
  /// Swift reads bytes that are not UTF-8 as U+FFFD, so that two names would become one.
  /// - Throws: `.usage` naming the argument.
  package static func checkArguments() throws(RelabelError) {
    for place in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[place], String(validatingCString: argument) == nil
      else { continue }
      throw RelabelError(
        .usage,
        "the argument '\(String(escaping: CText.bytes(of: argument)))' is not UTF-8: rename the file or folder"
      )
    }
  }

  /// Ends it at once, with an exit code.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
