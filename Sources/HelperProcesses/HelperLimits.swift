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
  /// For good, but for the processor time, which begins anew with every piece of work. Calls `setrlimit`.
  func apply(writesFiles: Bool) {
    Self.limit(RLIMIT_DATA, memory)
    let (end, overflow) = Self.usedSeconds.addingReportingOverflow(processorSeconds)
    Self.limit(RLIMIT_CPU, overflow ? Int.max : end, isForGood: false)
    Self.limit(RLIMIT_CORE, 0)
    if !writesFiles { Self.limit(RLIMIT_FSIZE, 0) }
  }

  private static func limit(_ resource: __rlimit_resource, _ value: Int, isForGood: Bool = true) {
    let resource = __rlimit_resource_t(resource.rawValue)
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    if !isForGood {
      getrlimit(resource, &limit)
      limit.rlim_cur = min(rlim_t(value), limit.rlim_max)
    }
    setrlimit(resource, &limit)
  }

  /// Processor time that this process has used, to the nearest second.
  private static var usedSeconds: Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (microseconds + 500_000) / 1_000_000
  }
}
