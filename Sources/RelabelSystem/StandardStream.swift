internal import Glibc

/// Where a program prints to.
package struct StandardStream: Sendable {
  private let descriptor: Int32

  /// For results.
  package static let output = StandardStream(descriptor: STDOUT_FILENO)
  /// For all else.
  package static let error = StandardStream(descriptor: STDERR_FILENO)

  /// True when people look at it.
  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Prints a text.
  package func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      // A closed pipe has nobody left to tell.
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(count, 0))
    }
  }
}
