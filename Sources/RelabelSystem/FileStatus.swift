internal import Glibc

/// What kind of thing a path leads to.
package enum FileKind: Hashable, Sendable {
  case regular, folder, link, pipe, other

  /// The kind that a file's mode holds.
  package init(mode: UInt32) {
    switch mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .folder
    case S_IFLNK: self = .link
    case S_IFIFO: self = .pipe
    default: self = .other
    }
  }
}

/// What the system knows of a file without opening it.
package struct FileStatus: Hashable, Sendable {
  /// What tells two files apart however they are reached.
  package struct Identity: Hashable, Sendable {
    private let device: UInt
    private let number: UInt

    fileprivate init(_ status: stat) {
      (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
    }
  }

  /// The kind of the file.
  package let kind: FileKind
  /// The size of the file.
  package let bytes: Int
  /// Which file it is.
  package let identity: Identity

  private init(_ status: stat) {
    kind = FileKind(mode: status.st_mode)
    bytes = Int(status.st_size)
    identity = Identity(status)
  }

  /// The status of what a path leads to, or why there is none.
  ///
  /// Calls `stat`.
  package static func of(_ path: String) -> Result<FileStatus, SystemError> {
    var status = stat()
    return stat(path, &status) == 0 ? .success(FileStatus(status)) : .failure(.last)
  }

  /// The same for a path whose bytes need not be UTF-8.
  package static func of(_ path: [UInt8]) -> Result<FileStatus, SystemError> {
    var status = stat()
    let path = path.map(CChar.init(bitPattern:)) + [0]
    return stat(path, &status) == 0 ? .success(FileStatus(status)) : .failure(.last)
  }

  /// The same for an open file.
  ///
  /// Calls `fstat`.
  package static func of(descriptor: Int32) -> Result<FileStatus, SystemError> {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? .success(FileStatus(status)) : .failure(.last)
  }

  /// The kind of what stands at a path, a link itself included; nil for nothing.
  ///
  /// Calls `lstat`.
  package static func kindOfEntry(at path: String) -> FileKind? {
    var status = stat()
    return lstat(path, &status) == 0 ? FileKind(mode: status.st_mode) : nil
  }
}
