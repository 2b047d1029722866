internal import Glibc
package import RelabelFormat

/// What tells one state of a file from another without reading it.
package struct FileStamp: Hashable, Sendable {
  private let device: UInt
  private let inode: UInt
  /// The size of the file.
  package let bytes: Int
  private let changed: Int
  private let nanoseconds: Int

  /// The stamp of the file at a path, or nil when there is none.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    bytes = Int(status.st_size)
    changed = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }

  /// True for another state of the same file.
  package func isOverwritten(by found: FileStamp) -> Bool {
    found != self && (found.device, found.inode) == (device, inode)
  }

  /// Refuses a file that is not the one, or not as, it was when this stamp was taken.
  ///
  /// - Parameters:
  ///   - path: where the file is now.
  ///   - name: the path that the error names.
  /// - Throws: `.corrupt` saying what became of the file.
  package func check(_ path: String, named name: String) throws(RelabelError) {
    let found = FileStamp(path)
    if found == self { return }
    let what =
      if let found {
        if (found.device, found.inode) != (device, inode) {
          "was replaced by another file"
        } else if found.bytes < bytes {
          "was cut from \(bytes) to \(found.bytes) bytes"
        } else {
          "was changed"
        }
      } else {
        "was removed"
      }
    throw RelabelError(
      .corrupt,
      "the file \(what) since it was opened: open it anew",
      at: Location(file: name)
    )
  }
}
