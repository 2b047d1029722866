import Glibc
public import Relabel
public import Verification

/// An annotator that is a shell command of the user.
///
/// The command is run once by `/bin/sh`. On its standard input it gets a line `KEY<TAB>PATH` for each
/// picture. Into the folder that the environment variable `RELABEL_OUTPUT` names it writes one output
/// for each key, `KEY.pt` or `KEY.npy`, or batches as `.npz`: what `relabel-pack` reads.
public struct AnnotatorCommand: Annotator {
  private let command: String

  /// Makes an annotator of a shell command.
  public init(_ command: String) { self.command = command }

  /// Runs the command to its end.
  ///
  /// Callable from any thread; the command's own output is not shown.
  /// - Throws: `.io` with the last words of a command that fails, or leaves nothing that can be read.
  public func annotate(_ request: AnnotationRequest) throws(RelabelError) -> any FreshMaps {
    let folder = try TemporaryFolder()
    let output = "\(folder.path)/output"
    try Folder.create(output)
    let listing = "\(folder.path)/pictures"
    try Self.write(request, to: listing)
    try run(input: listing, output: output, log: "\(folder.path)/log")
    do {
      return try AnnotatedFolder(folder, output, request)
    } catch {
      throw RelabelError(.io, "the annotator's output can't be read: \(error.message)")
    }
  }

  private static func write(
    _ request: AnnotationRequest,
    to path: String
  ) throws(RelabelError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("can't be written", path) }
    defer { _ = close(descriptor) }
    for (key, picture) in request.pictures {
      // No key holds a tab or a line break.
      if picture.utf8.contains(UInt8(ascii: "\n")) {
        throw RelabelError(.io, "the path holds a line break", at: Location(file: picture))
      }
      let line = Array("\(key)\t\(Folder.absolute(picture))\n".utf8)
      guard Glibc.write(descriptor, line, line.count) == line.count else {
        throw .system("can't be written", path)
      }
    }
  }

  private func run(input: String, output: String, log: String) throws(RelabelError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, flags, 0o600)
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
    let words: [UnsafeMutablePointer<CChar>?] = [
      strdup("/bin/sh"), strdup("-c"), strdup(command), nil,
    ]
    defer { for word in words { free(word) } }
    let variables = Self.environment(with: "RELABEL_OUTPUT=\(output)")
    defer { for variable in variables { free(variable) } }
    var pid: pid_t = 0
    let status = posix_spawn(&pid, "/bin/sh", &actions, nil, words, variables)
    guard status == 0 else {
      errno = status
      throw .system("the annotator can't be started", "/bin/sh")
    }
    var ending: Int32 = 0
    while waitpid(pid, &ending, 0) < 0 && errno == EINTR {}
    if ending != 0 { throw Self.failure(ending, log: log) }
  }

  /// This process's environment with one variable more.
  private static func environment(with variable: String) -> [UnsafeMutablePointer<CChar>?] {
    var variables: [UnsafeMutablePointer<CChar>?] = []
    var place = environ
    while let entry = place.pointee {
      variables.append(strdup(entry))
      place += 1
    }
    return variables + [strdup(variable), nil]
  }

  /// The most bytes of the command's last words that are shown.
  private static let lastWords = 1000

  private static func failure(_ ending: Int32, log: String) -> RelabelError {
    let signal = ending & 0x7F
    let how =
      signal == 0 ? "ended with exit code \(ending >> 8 & 0xFF)" : "died of signal \(signal)"
    let words = (try? FileTail.text(log, bytes: lastWords)) ?? ""
    return RelabelError(.io, "the annotator \(how)" + (words.isEmpty ? "" : ": \(words)"))
  }
}

/// The end of a file that may be long.
private enum FileTail {
  static func text(_ path: String, bytes: Int) throws(RelabelError) -> String {
    let size = Int(try Folder.fileBytes(path))
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("can't be opened", path) }
    defer { _ = close(descriptor) }
    var tail = [UInt8](repeating: 0, count: min(size, bytes))
    let count = pread(descriptor, &tail, tail.count, size - tail.count)
    let text = String(decoding: tail[..<max(count, 0)], as: UTF8.self)
    return text.split(separator: "\n").joined(separator: " | ")
  }
}
