internal import Glibc
package import RelabelFormat

/// What a file must not take the place of, such as a pipe, a device or a link to one.
package enum SpecialFile {
  /// True when there is one at a path.
  package static func isAt(_ path: String) -> Bool {
    // `/dev/stderr` is a link, to a regular file where a shell has redirected the stream.
    Folder.isLink(path) || Folder.kind(of: path).map { $0 != .regular } ?? false
  }

  /// Writes a text into what is at a path.
  ///
  /// - Throws: `.io` naming the file.
  package static func write(_ text: String, to path: String) throws(RelabelError) {
    try write(Array(text.utf8), to: path)
  }

  /// Writes bytes into what is at a path.
  ///
  /// - Throws: `.io` naming the file.
  package static func write(_ bytes: [UInt8], to path: String) throws(RelabelError) {
    guard let stream = fopen(path, "w") else { throw .system("can't be opened", path) }
    let written = fwrite(bytes, 1, bytes.count, stream)
    guard fclose(stream) == 0, written == bytes.count else {
      throw .system("can't be written", path)
    }
  }
}
