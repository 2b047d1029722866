internal import Glibc

/// The process that this code runs in.
package enum ThisProcess {
  /// Its number, which is another in a forked child.
  package static var id: Int32 { getpid() }
}
