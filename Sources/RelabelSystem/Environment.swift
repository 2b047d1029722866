internal import Glibc

/// The environment that this process was started in.
package enum Environment {
  /// The value of a variable; nil where it is not set.
  package static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// Sets a variable that is not set.
  ///
  /// Only while the process has one thread.
  package static func setDefault(_ name: String, _ value: String) { setenv(name, value, 0) }
}
