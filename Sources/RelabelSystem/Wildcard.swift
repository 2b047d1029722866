internal import Glibc

/// Text with `*` and `?` in it.
package enum Wildcard {
  /// True when `pattern` describes the whole of `text`; `*` crosses slashes.
  ///
  /// Calls `fnmatch`.
  package static func matches(_ text: String, _ pattern: String) -> Bool {
    fnmatch(pattern.replacing("\\", with: "\\\\").replacing("[", with: "\\["), text, 0) == 0
  }
}
