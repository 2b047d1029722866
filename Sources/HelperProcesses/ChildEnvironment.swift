internal import Glibc

/// The environment of a child process: this process's with one variable more.
///
/// Its entries are valid as long as it is.
final class ChildEnvironment {
  /// `NAME=VALUE` each, nil at the end, as `posix_spawn` takes them.
  let entries: [UnsafeMutablePointer<CChar>?]

  /// - Parameter variable: `NAME=VALUE`.
  init(adding variable: String) {
    // Of two entries of one name some programs take the first and some the last, so there is one.
    let name = variable.prefix { $0 != "=" } + "="
    var entries: [UnsafeMutablePointer<CChar>?] = []
    var place = environ
    while let entry = place.pointee {
      if strncmp(entry, String(name), name.utf8.count) != 0 { entries.append(strdup(entry)) }
      place += 1
    }
    self.entries = entries + [strdup(variable), nil]
  }

  deinit {
    for entry in entries { free(entry) }
  }
}
