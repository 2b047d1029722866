internal import Glibc

/// The environment of a child process: this process's with one variable more.
///
/// Its entries are valid as long as it is.
final class ChildEnvironment {
  /// `NAME=VALUE` each, nil at the end, as `posix_spawn` takes them.
  let entries: [UnsafeMutablePointer<CChar>?]

  /// - Parameter variable: `NAME=VALUE`.
  init(adding variable: String) {
    // The first of two entries of one name counts.
    var entries = [strdup(variable)]
    var place = environ
    while let entry = place.pointee {
      entries.append(strdup(entry))
      place += 1
    }
    self.entries = entries + [nil]
  }

  deinit {
    for entry in entries { free(entry) }
  }
}
