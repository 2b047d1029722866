import Glibc
import RelabelFormat
import Synchronization

/// A running helper process.
struct HelperChild: Sendable {
  let pid: pid_t
  /// What it says.
  let output: Int32
  /// Where it takes further requests from, -1 when it takes none.
  let input: Int32
  let program: String
  let memory: Int

  /// Asks for another piece of work.
  ///
  /// - Returns: false when the helper is gone.
  func ask(_ task: String, _ limits: HelperLimits, _ request: JSON) throws(RelabelError) -> Bool {
    let line = JSON.object([
      "task": .string(task), "limits": .string(limits.argument), "request": request,
    ])
    let bytes = try line.canonical() + [UInt8(ascii: "\n")]
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        send(input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Lets go of the helper, by force if it still `runs`; its status as `waitpid` tells it.
  @discardableResult
  func end(runs: Bool = true) -> Int32 {
    _ = close(output)
    if input >= 0 { _ = close(input) }
    if runs { kill(pid, SIGKILL) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return status
  }
}

/// Helpers that wait for their next piece of work, since starting one takes as long as checking 500 images.
///
/// Callable from any thread; they end with the pool.
package final class HelperPool: Sendable {
  private let idle = Mutex<[HelperChild]>([])

  package init() {}

  deinit { for child in idle.withLock({ $0 }) { child.end() } }

  /// A waiting helper of the same program that has the same memory.
  func take(for process: HelperProcess) -> HelperChild? {
    idle.withLock { idle in
      let place = idle.lastIndex {
        $0.program == process.program && $0.memory == process.limits.memory
      }
      return place.map { idle.remove(at: $0) }
    }
  }

  /// Keeps a helper that has done its work well.
  func give(_ child: HelperChild) { idle.withLock { $0.append(child) } }
}
