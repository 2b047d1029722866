internal import Glibc
package import RelabelFormat

/// Where a program prints to.
package struct StandardStream: Sendable {
  private let descriptor: Int32
  private let name: String

  /// For results.
  package static let output = StandardStream(descriptor: STDOUT_FILENO, name: "standard output")
  /// For all else.
  package static let error = StandardStream(descriptor: STDERR_FILENO, name: "standard error")

  /// Makes a closed pipe, and a file beyond the limit of its size, an error of the call that writes to it, where
  /// the system would end the program without a word.
  package static func reportFailedWrites() {
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
  }

  /// Lets a closed pipe end the program without a word, as it ends other programs that list things.
  package static func endWithReader() { _ = signal(SIGPIPE, SIG_DFL) }

  /// True when people look at it.
  package var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Prints a text.
  ///
  /// - Throws: `.io` when the stream is closed, its disk full or its reader gone.
  package func write(_ text: String) throws(RelabelError) { try write(Array(text.utf8)) }

  /// Prints bytes.
  ///
  /// - Throws: as `write(_:)` of a text.
  package func write(_ bytes: [UInt8]) throws(RelabelError) {
    var bytes = bytes[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { throw .system("can't be written", name) }
      bytes = bytes.dropFirst(max(count, 0))
    }
  }

  /// Prints a text that nothing depends on, such as an error that the exit code tells, too.
  package func say(_ text: String) {
    do { try write(text) } catch {
      // Nobody is left to be told.
    }
  }
}
