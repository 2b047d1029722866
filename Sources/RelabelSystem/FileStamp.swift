internal import Glibc
package import RelabelFormat

/// What tells one state of a file from another without reading it.
package struct FileStamp: Equatable, Sendable {
  private let device: UInt
  private let inode: UInt
  /// The size of the file.
  package let bytes: Int
  private let modified: Moment
  /// When the system last noted a change of the file, which no program can set back.
  private let noted: Moment
  private let links: UInt

  /// The stamp of the file at a path, or nil when there is none.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    bytes = Int(status.st_size)
    modified = Moment(status.st_mtim)
    noted = Moment(status.st_ctim)
    links = UInt(status.st_nlink)
  }

  /// True for stamps of one state of one file.
  ///
  /// A change that the system noted counts, also where size and time of modification were put back; but not
  /// together with a new number of links: a backup that links to the file changes nothing in it.
  package static func == (one: FileStamp, other: FileStamp) -> Bool {
    (one.device, one.inode, one.bytes) == (other.device, other.inode, other.bytes)
      && one.modified == other.modified
      && (one.noted == other.noted || one.links != other.links)
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
      "the file \(what) since it was opened: open it again",
      at: Location(file: name)
    )
  }
}

/// A time as the file system keeps it.
private struct Moment: Equatable, Sendable {
  private let seconds: Int
  private let nanoseconds: Int

  init(_ time: timespec) {
    seconds = time.tv_sec
    nanoseconds = time.tv_nsec
  }
}
