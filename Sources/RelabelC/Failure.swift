import Glibc
import Relabel

/// The text of the last failure of each thread.
enum Failure {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { text in free(text) }
    return key
  }()

  // Never changes.
  nonisolated(unsafe) private static let none: UnsafePointer<CChar>? = strdup("").map {
    UnsafePointer($0)
  }

  /// Keeps the text of an error for this thread and returns its status.
  static func keep(_ error: RelabelError) -> Int32 {
    free(pthread_getspecific(key))
    pthread_setspecific(key, strdup(error.description))
    return error.code.exitStatus.rawValue
  }

  /// The kept text, or an empty one.
  static var text: UnsafePointer<CChar>? {
    guard let text = pthread_getspecific(key) else { return none }
    return UnsafePointer(text.assumingMemoryBound(to: CChar.self))
  }

  /// The status of `body`: 0, or that of the error it throws.
  static func status(_ body: () throws(RelabelError) -> Void) -> Int32 {
    do {
      try body()
      return 0
    } catch {
      return keep(error)
    }
  }

  /// The number that `body` makes, or minus the status of its error.
  static func number(_ body: () throws(RelabelError) -> Int) -> Int64 {
    do {
      return Int64(try body())
    } catch {
      return -Int64(keep(error))
    }
  }

  /// The object that `body` makes, handed over to the caller, or nil.
  static func object(_ body: () throws(RelabelError) -> AnyObject) -> UnsafeMutableRawPointer? {
    do {
      return Unmanaged.passRetained(try body()).toOpaque()
    } catch {
      _ = keep(error)
      return nil
    }
  }
}

/// The error for a pointer that must not be NULL.
func missing(_ name: String) -> RelabelError {
  RelabelError(.usage, "argument '\(name)' is NULL")
}
