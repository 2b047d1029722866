import Glibc
package import RelabelFormat
internal import RelabelSystem
import Synchronization

/// Runs a piece of work in a process of its own, with limits, and receives what it sends.
///
/// The HDF5 library is "not designed to handle maliciously crafted files safely": a file may crash
/// it, make it loop or make it take all memory. Then only the helper dies, and what it sent before
/// stays. A helper works on one file and never on another: what a file did to its process can't touch what is
/// said of the next. The helper is spawned and re-executed, never a bare fork, which could inherit a lock that
/// another thread held.
package struct HelperProcess: Sendable {
  /// How the helper ended when it did not end well.
  package enum Death: Hashable, Sendable, CustomStringConvertible {
    case signal(Int32)
    case status(Int32)
    case time
    case silence
    case nonsense(String)

    package var description: String {
      switch self {
      case .signal(let number): "crashed (\(String(cString: strsignal(number))))"
      case .status(let code): "ended early (exit code \(code))"
      case .time: "used more processor time than any sound file of this size needs"
      case .silence: "stood still"
      case .nonsense(let what): "sent an invalid message: \(what)"
      }
    }
  }

  /// The program, which begins with `HelperEntry.runIfAsked()`.
  package let program: String
  package let limits: HelperLimits

  package init(program: String, limits: HelperLimits) {
    self.program = program
    self.limits = limits
  }

  /// Runs one task and hands every message to `receive`, in order.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - task: the name of the task, known to `HelperEntry`.
  ///   - request: what the task is to do.
  ///   - receive: takes a message; may refuse it.
  /// - Returns: nil when the helper said that it was done, else how it ended by what the file did to it.
  /// - Throws: `.io` when the helper can't be started or is ended from outside, and what the system refused it:
  ///   nothing is known of the file then.
  package func run(
    _ task: String,
    _ request: JSON,
    receive: (HelperMessage) throws(RelabelError) -> Void
  ) throws(RelabelError) -> Death? {
    let helper = try start(task, request)
    while let message = try helper.next() {
      do throws(RelabelError) { try receive(message) } catch { try helper.refuse(error) }
    }
    return helper.death
  }

  /// Starts a task whose messages are taken one by one.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - task: the name of the task, known to `HelperEntry`.
  ///   - request: what the task is to do.
  /// - Returns: the helper, which ends when it is let go.
  /// - Throws: `.io` when the helper can't be started.
  package func start(_ task: String, _ request: JSON) throws(RelabelError) -> RunningHelper {
    let words = [task, limits.argument, String(decoding: try request.canonical(), as: UTF8.self)]
    let child = try Self.spawning.withLock { _ throws(RelabelError) in try spawn(words) }
    return RunningHelper(child, limits)
  }

  /// Held while a pipe is open without `FD_CLOEXEC`: another helper would keep its end open.
  private static let spawning = Mutex<Void>(())

  private func spawn(_ arguments: [String]) throws(RelabelError) -> HelperChild {
    var pipe: [Int32] = [-1, -1]
    guard Glibc.pipe(&pipe) == 0 else { throw .system("no pipe for a helper process") }
    for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO)
    // What a dying library prints helps nobody; how it died is told in the finding.
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var words = ([program, HelperEntry.word] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    // What is large goes back to the system when it is freed: a heap with holes would count as memory in use.
    let variables = ChildEnvironment(adding: "MALLOC_MMAP_THRESHOLD_=1048576")
    let status = withExtendedLifetime(variables) {
      posix_spawn(&pid, program, &actions, nil, &words, variables.entries)
    }
    _ = close(pipe[1])
    guard status == 0 else {
      _ = close(pipe[0])
      let what = "the helper process can't be started; --no-isolation works without one"
      throw .system(what, program, SystemError(status))
    }
    return HelperChild(pid: pid, output: pipe[0])
  }
}
