import Relabel
import Synchronization

/// The pickles that were read last and what they hold: those of an annotator's files are mostly the same bytes.
///
/// Callable from any thread.
enum KnownPickles {
  private struct Known {
    let bytes: [UInt8]
    let value: PickleValue
  }

  /// The one that was met last comes first.
  private static let known = Mutex<[Known]>([])

  /// A file of torch before 1.6 has five, two of which may differ from file to file.
  private static let (most, mostBytes) = (8, 4096)

  /// What the pickle at `position` holds and where it ends, or nil for one that was not met lately.
  static func value(_ bytes: [UInt8], at position: Int) -> (value: PickleValue, end: Int)? {
    bytes.withUnsafeBytes { bytes in
      let rest = UnsafeRawBufferPointer(rebasing: bytes[min(position, bytes.count)...])
      return known.withLock { known in
        guard let place = known.firstIndex(where: { begins(rest, with: $0.bytes) }) else {
          return nil
        }
        let found = known[place]
        if place >= most / 2 {
          known.remove(at: place)
          known.insert(found, at: 0)
        }
        return (found.value, position + found.bytes.count)
      }
    }
  }

  /// Keeps what a pickle holds in place of the one that was not met for longest.
  static func add(_ bytes: ArraySlice<UInt8>, _ value: PickleValue) {
    guard bytes.count <= mostBytes else { return }
    let new = Known(bytes: Array(bytes), value: value)
    known.withLock { known in
      if known.count == most { known.removeLast() }
      known.insert(new, at: 0)
    }
  }

  private static func begins(_ bytes: UnsafeRawBufferPointer, with pickle: [UInt8]) -> Bool {
    guard bytes.count >= pickle.count else { return false }
    return pickle.withUnsafeBytes { Memory.compare(bytes, $0, count: pickle.count) == 0 }
  }
}
