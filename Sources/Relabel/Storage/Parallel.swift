internal import Dispatch
import Synchronization

/// Work on many items by a few threads, results in the order of the items.
package enum Parallel {
  /// The results of `body` for 0 ..< count, made by at most `jobs` threads.
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
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        while true {
          let item = cursor.next()
          guard item < count else { return }
          slots.initializeElement(at: item, to: body(item))
        }
      }
      initialized = count
    }
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
