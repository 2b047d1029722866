internal import CHDF5
import Glibc

/// The HDF5 library as a whole: one lock, silence, no plugins.
package enum Library {
  /// The library is not re-entrant in every build, so every call of this package holds this lock.
  ///
  /// Recursive, because handles are closed wherever their last use ends.
  private static let lock: RecursiveLock = {
    // A forked child finds the library between two calls and the lock free, whatever other threads
    // of the parent were doing.
    pthread_atfork({ Library.lock.acquire() }, { Library.lock.release() }, { Library.lock.renew() })
    return RecursiveLock()
  }()

  /// Runs `body` as the only user of the HDF5 library in this process.
  ///
  /// Callable from any thread. The library keeps its print setting per thread, so it is set here.
  package static func locked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.acquire()
    defer { lock.release() }
    _ = started
    H5Eset_auto2(hid_t(H5E_DEFAULT), nil, nil)
    return try body()
  }

  /// The version of the HDF5 library in use, for example `1.10.8`.
  package static let version: String = locked {
    var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
    H5get_libversion(&major, &minor, &release)
    return "\(major).\(minor).\(release)"
  }

  /// First use: no clean-up at exit, no plugins.
  ///
  /// The clean-up would close handles of other threads, and crashes after a write that failed. It
  /// can only be switched off before any other call.
  private static let started: Bool = {
    H5dont_atexit()
    H5open()
    // A file may name any filter; only those compiled into the library may ever run.
    H5PLset_loading_state(0)
    return true
  }()

  /// Runs `call` under the lock; a negative status becomes the library's error.
  static func check(
    _ name: StaticString,
    on object: String? = nil,
    _ call: () -> herr_t
  ) throws(HDF5Error) {
    try locked { () throws(HDF5Error) in
      if call() < 0 { throw .current(name, on: object) }
    }
  }
}

/// The text that a C function writes into a buffer of the size it asks for.
///
/// - Parameters:
///   - call: the C function.
///   - object: what errors call the object.
///   - bytes: receives the text as a C string.
///   - write: calls the function with a buffer, nil at first, and returns the length.
/// - Returns: the text.
/// - Throws: the library's error for a negative length.
func text(
  _ call: StaticString,
  on object: String,
  into bytes: inout [CChar],
  _ write: (UnsafeMutablePointer<CChar>?, Int) -> Int
) throws(HDF5Error) -> String {
  let length = write(nil, 0)
  guard length >= 0 else { throw .current(call, on: object) }
  bytes = [CChar](repeating: 0, count: length + 1)
  _ = write(&bytes, bytes.count)
  return String(decoding: bytes.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A recursive mutex; the standard library's `Mutex` can't be taken twice by one thread.
private final class RecursiveLock: @unchecked Sendable {
  // Unchecked: a pthread mutex may be used from any thread once made.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init() {
    mutex = .allocate(capacity: 1)
    make()
  }

  func acquire() { pthread_mutex_lock(mutex) }
  func release() { pthread_mutex_unlock(mutex) }

  /// Makes the mutex anew in a forked child, whose thread has another id than its owner.
  func renew() { make() }

  private func make() {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }
}
