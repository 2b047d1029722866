internal import Glibc

/// A count that threads wait for.
package final class Semaphore: @unchecked Sendable {
  // Unchecked: a semaphore is made for several threads.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  /// A semaphore that lets so many threads pass at first.
  package init(_ count: UInt32) { sem_init(semaphore, 0, count) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Waits until the count is above 0 and takes one from it.
  package func wait() {
    while sem_wait(semaphore) != 0 && errno == EINTR {}
  }

  /// Adds one to the count.
  package func signal() { sem_post(semaphore) }
}
