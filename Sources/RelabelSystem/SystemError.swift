internal import Glibc
package import RelabelFormat

/// Why the operating system refused something: a number of `errno`.
package struct SystemError: Error, Hashable, Sendable {
  private let number: Int32

  /// An error by its number.
  package init(_ number: Int32) { self.number = number }

  /// The error of the call before.
  package static var last: SystemError { SystemError(errno) }

  /// What the system says about it.
  package var reason: String { String(cString: strerror(number)) }

  /// True when nothing is at the path.
  package var isNoSuchFile: Bool { number == ENOENT }
}

extension RelabelError {
  /// An error of the operating system, with the reason that `errno` gives now.
  package static func system(_ what: String, _ path: String? = nil) -> RelabelError {
    system(what, path, .last)
  }

  /// An error of the operating system, with its reason.
  package static func system(
    _ what: String,
    _ path: String? = nil,
    _ error: SystemError
  ) -> RelabelError {
    RelabelError(.io, "\(what): \(error.reason)", at: Location(file: path))
  }
}
