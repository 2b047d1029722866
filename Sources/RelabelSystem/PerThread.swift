internal import Glibc

/// An object for each thread, which goes when its thread ends.
package final class PerThread<Value: AnyObject>: Sendable {
  private let key: pthread_key_t

  /// A place that is empty in every thread.
  package init() {
    var key = pthread_key_t()
    pthread_key_create(&key) { kept in
      if let kept { Unmanaged<AnyObject>.fromOpaque(kept).release() }
    }
    self.key = key
  }

  /// The object of this thread.
  package var value: Value? {
    pthread_getspecific(key).map { Unmanaged<Value>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Makes an object that of this thread, which has none yet.
  package func set(_ value: Value) {
    pthread_setspecific(key, Unmanaged.passRetained(value).toOpaque())
  }
}
