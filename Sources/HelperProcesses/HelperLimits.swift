import Glibc

/// What a helper process may use.
package struct HelperLimits: Hashable, Sendable {
  /// Private memory in bytes (`RLIMIT_DATA`): heap, stacks of threads, mappings.
  package var memory: Int
  /// Processor time of all its threads, in seconds (`RLIMIT_CPU`).
  package var processorSeconds: Int
  /// The longest time between two messages, in seconds: for a helper that waits for ever.
  package var silence: Int = 60

  package init(memory: Int, processorSeconds: Int) {
    self.memory = memory
    self.processorSeconds = processorSeconds
  }

  /// Limits for work on a file, with room to spare.
  ///
  /// A check takes 0.02 s of processor time a megabyte; with chunks of the largest size it takes
  /// 100 MB a thread. A disk that gives less than 1 MB a second is taken for dead.
  package init(fileBytes: Int64, jobs: Int) {
    memory = (192 + 12 * min(jobs, 1 << 20)) << 20
    processorSeconds = 1 + Int(fileBytes / 1_000_000)
    silence = 60 + Int(fileBytes / 1_000_000)
  }

  /// The limits as a word of the helper's command line.
  var argument: String { "\(memory),\(processorSeconds)" }

  /// Reads the word again.
  init?(argument: String) {
    let numbers = argument.split(separator: ",").compactMap { Int($0) }
    guard numbers.count == 2, numbers.allSatisfy({ $0 > 0 }) else { return nil }
    self.init(memory: numbers[0], processorSeconds: numbers[1])
  }

  /// Binds this process to the limits; it leaves no core, and unless it `writesFiles`, no file grows.
  ///
  /// For good. Calls `setrlimit`.
  func apply(writesFiles: Bool) {
    Self.limit(RLIMIT_DATA, memory)
    // The soft limit comes a second before the hard one: it sends SIGXCPU, which says what happened.
    Self.limit(
      RLIMIT_CPU,
      processorSeconds,
      hard: processorSeconds.addingReportingOverflow(1).partialValue
    )
    Self.limit(RLIMIT_CORE, 0)
    if !writesFiles { Self.limit(RLIMIT_FSIZE, 0) }
  }

  /// Why a helper ended in a way that its file is not to blame for, or nil where it may be.
  ///
  /// A library that a file leads astray crashes by other signals than those that people, service managers and the
  /// kernel's guard of memory send.
  func causeOutside(of death: HelperProcess.Death) -> String? {
    switch death {
    case .signal(let signal) where [SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT].contains(signal):
      "by a signal from outside"
    // The words of a shell and of the system's loader for a program that did not come to its first line.
    case .status(64), .status(126), .status(127): "before it could begin"
    case .signal, .status, .time:
      isCut ? "under limits of this process (ulimit) that are below what a helper may need" : nil
    case .silence, .nonsense: nil
    }
  }

  /// True where this process is bound to less than the helper is meant to have.
  private var isCut: Bool {
    Self.bound(RLIMIT_DATA) < memory || Self.bound(RLIMIT_AS) < memory
      || Self.bound(RLIMIT_CPU) < processorSeconds
  }

  private static func bound(_ resource: __rlimit_resource) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { return .max }
    return Int(clamping: min(limit.rlim_cur, limit.rlim_max))
  }

  private static func limit(_ resource: __rlimit_resource, _ soft: Int, hard: Int? = nil) {
    var limit = rlimit(rlim_cur: rlim_t(soft), rlim_max: rlim_t(max(hard ?? soft, soft)))
    setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
  }
}
