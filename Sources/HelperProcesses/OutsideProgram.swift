internal import Glibc
package import RelabelFormat
internal import RelabelSystem

/// A program of another project that turns one file into another.
package struct OutsideProgram {
  private let name: String
  private let package: String

  /// The most bytes of the program's last words that are shown.
  private static let lastWords = 1000

  /// Names a program, which `PATH` leads to, and the Debian package that brings it.
  package init(_ name: String, package: String) { (self.name, self.package) = (name, package) }

  /// Runs the program to its end; no shell reads the arguments.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - arguments: its arguments.
  ///   - input: the file that it gets on standard input.
  ///   - output: the file that gets what it prints.
  ///   - log: the file that gets its messages.
  /// - Throws: `.usage` where there is no such program, `.io` with the last words of one that fails.
  package func run(
    _ arguments: [String],
    input: String,
    output: String,
    log: String
  ) throws(RelabelError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, flags, 0o600)
    let words = ([name] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let status = posix_spawnp(&pid, name, &actions, nil, words, environ)
    if status == ENOENT {
      throw RelabelError(
        .usage,
        "the program \(name) is not installed: it comes with Debian's package \(package) (apt install \(package))"
      )
    }
    guard status == 0 else { throw .system("\(name) can't be started", nil, SystemError(status)) }
    var ending: Int32 = 0
    while waitpid(pid, &ending, 0) < 0 && errno == EINTR {}
    guard ending != 0 else { return }
    let signal = ending & 0x7F
    let how =
      signal == 0 ? "ended with exit code \(ending >> 8 & 0xFF)" : "died of signal \(signal)"
    let last = try FileTail.text(log, bytes: Self.lastWords)
    throw RelabelError(.io, "\(name) \(how)" + (last.isEmpty ? "" : ": \(last)"))
  }
}
