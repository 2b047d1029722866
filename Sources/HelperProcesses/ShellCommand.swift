internal import Glibc
package import RelabelFormat
internal import RelabelSystem

/// A command of the user that `/bin/sh` runs.
package struct ShellCommand {
  private let text: String
  private let noun: String

  /// The most bytes of the command's last words that are shown.
  private static let lastWords = 1000

  /// Makes a command; errors call it by `noun`.
  package init(_ text: String, noun: String) { (self.text, self.noun) = (text, noun) }

  /// Runs the command to its end.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - input: the file that it gets on standard input.
  ///   - log: the file that gets what it prints.
  ///   - variable: `NAME=VALUE`, added to this process's environment.
  /// - Throws: `.io` with the last words of a command that fails.
  package func run(input: String, log: String, variable: String) throws(RelabelError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, flags, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    let words: [UnsafeMutablePointer<CChar>?] = [
      strdup("/bin/sh"), strdup("-c"), strdup(text), nil,
    ]
    defer { for word in words { free(word) } }
    let variables = ChildEnvironment(adding: variable)
    var pid: pid_t = 0
    let status = withExtendedLifetime(variables) {
      posix_spawn(&pid, "/bin/sh", &actions, nil, words, variables.entries)
    }
    guard status == 0 else {
      throw .system("\(noun) can't be started", "/bin/sh", SystemError(status))
    }
    var ending: Int32 = 0
    while waitpid(pid, &ending, 0) < 0 && errno == EINTR {}
    if ending != 0 { throw failure(ending, log: log) }
  }

  private func failure(_ ending: Int32, log: String) -> RelabelError {
    let signal = ending & 0x7F
    let how =
      signal == 0 ? "ended with exit code \(ending >> 8 & 0xFF)" : "died of signal \(signal)"
    let words = (try? FileTail.text(log, bytes: Self.lastWords)) ?? ""
    return RelabelError(.io, "\(noun) \(how)" + (words.isEmpty ? "" : ": \(words)"))
  }
}
