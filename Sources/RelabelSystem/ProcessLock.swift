internal import Glibc
import Synchronization

/// A lock that a forked child finds free: a thread that the child does not have may have held it.
///
/// A descendant that gets the process id of an ancestor which was killed while it held the lock would wait for
/// ever; it has to be held for a moment after a fork only.
package final class ProcessLock: Sendable {
  /// The process in which the lock is held, 0 where it is free.
  private let holder = Atomic<Int32>(0)

  /// A free lock.
  package init() {}

  /// Runs `body` while no other thread of this process does.
  package func withLock<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let process = ThisProcess.id
    while true {
      let (isTaken, found) = holder.compareExchange(
        expected: 0,
        desired: process,
        ordering: .acquiring
      )
      if isTaken { break }
      if found == process {
        // Held for a moment only, once after a fork.
        usleep(100)
        continue
      }
      // Left behind by the parent of this process.
      if holder.compareExchange(expected: found, desired: process, ordering: .acquiring).exchanged {
        break
      }
    }
    defer { holder.store(0, ordering: .releasing) }
    return try body()
  }
}
