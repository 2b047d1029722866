internal import Glibc
package import RelabelFormat

/// A folder that is removed with all that it holds when it is not needed any more.
package final class ScratchFolder: Sendable {
  /// Where the folder is.
  package let path: String

  /// Makes a folder in `TMPDIR`.
  ///
  /// - Throws: `.io` when there is no place for it.
  package init() throws(RelabelError) {
    let parent = Environment.variable("TMPDIR") ?? "/tmp"
    var template = Array("\(parent)/relabel-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw .system("a folder can't be made", parent) }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { Self.remove(path) }

  private static func remove(_ folder: String) {
    for name in (try? Folder.names(folder)) ?? [] {
      let path = "\(folder)/\(name)"
      if Folder.exists(path) && !Folder.isLink(path) { remove(path) } else { unlink(path) }
    }
    rmdir(folder)
  }
}
