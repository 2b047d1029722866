internal import Glibc
import Synchronization

/// Work on many items by a few threads, results in the order of the items.
///
/// Plain threads that end with the call: a pool of threads would not survive `fork`, which the
/// workers of training programs are made by.
package enum Parallel {
  /// The results of `body` for 0 ..< count, made by at most `jobs` threads, the caller's included.
  ///
  /// Which thread makes a result is unspecified; the results and their order are not.
  package static func map<Value>(
    _ count: Int,
    jobs: Int,
    _ body: @Sendable (Int) -> Value
  ) -> [Value] {
    let threads = min(jobs, count)
    guard threads > 1 else { return (0..<max(count, 0)).map(body) }
    let cursor = Cursor()
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      // Every slot is written by the one thread that drew its number.
      nonisolated(unsafe) let slots = buffer
      withoutActuallyEscaping(body) { body in
        run(threads) {
          while true {
            let item = cursor.next()
            guard item < count else { return }
            slots.initializeElement(at: item, to: body(item))
          }
        }
      }
      initialized = count
    }
  }

  /// Runs `work` on `count` threads at once and returns when all have finished.
  private static func run(_ count: Int, _ work: @escaping @Sendable () -> Void) {
    var threads: [pthread_t] = []
    for _ in 1..<count {
      // Fewer threads do the same work.
      if let thread = start(work) { threads.append(thread) }
    }
    work()
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Starts a thread that does `work` and that nobody waits for; false when the system has none.
  package static func startDetached(_ work: @escaping @Sendable () -> Void) -> Bool {
    guard let thread = start(work) else { return false }
    pthread_detach(thread)
    return true
  }

  /// A number that no other thread at work has.
  package static var thread: UInt { UInt(pthread_self()) }

  /// Processors that this system has at work.
  package static var processors: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  /// Starts a thread that does `work`, to be joined or detached; nil when the system has none.
  private static func start(_ work: @escaping @Sendable () -> Void) -> pthread_t? {
    var thread = pthread_t()
    let task = Unmanaged.passRetained(Task(work))
    let status = pthread_create(
      &thread,
      nil,
      { task in
        task.map { Unmanaged<Task>.fromOpaque($0).takeRetainedValue().work() }
        return nil
      },
      task.toOpaque()
    )
    if status == 0 { return thread }
    task.release()
    return nil
  }

  private final class Task: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }

  private final class Cursor: Sendable {
    private let value = Atomic<Int>(0)
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
  }
}

extension UnsafeMutableBufferPointer {
  fileprivate func initializeElement(at index: Int, to value: Element) {
    baseAddress.map { ($0 + index).initialize(to: value) }
  }
}
