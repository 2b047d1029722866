import Glibc

/// What tells one state of a file from another without reading it.
struct FileStamp: Hashable, Sendable {
  private let device: UInt
  private let inode: UInt
  private let bytes: Int
  private let changed: Int
  private let nanoseconds: Int

  /// The stamp of the file at a path, or nil when there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    bytes = Int(status.st_size)
    changed = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }
}
