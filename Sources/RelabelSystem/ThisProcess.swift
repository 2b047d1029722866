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

  /// Puts another program in the place of this one: the one of that name beside this program's file, else the
  /// one on `PATH`.
  ///
  /// Returns where there is neither.
  /// - Throws: `.io` for a program that the system refuses to start.
  package static func handOver(
    to name: String,
    arguments: [String]
  ) throws(RelabelError) {
    let words = ([name] + arguments).map(CText.copy) + [nil]
    defer { for word in words { CText.free(word) } }
    if let own = realpath("/proc/self/exe", nil) {
      let folder = String(cString: own).split(separator: "/").dropLast().joined(separator: "/")
      CText.free(own)
      let path = "/\(folder)/\(name)"
      execv(path, words)
      if !SystemError.last.isNoSuchFile { throw .system("the program can't be started", path) }
    }
    execvp(name, words)
    if !SystemError.last.isNoSuchFile { throw .system("\(name) can't be started") }
  }

  /// Ends it at once, with an exit code.
  package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
