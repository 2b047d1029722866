internal import Glibc
package import RelabelFormat

/// An open file or folder that closes itself.
package struct FileDescriptor: ~Copyable, Sendable {
  /// What a file is opened for.
  package enum Purpose: Sendable {
    /// To be read.
    case reading
    /// To be read, without waiting for the writer of a pipe.
    case readingAtOnce
    /// A folder, to be locked or synced.
    case folder
    /// To be written from the start, with these permissions if it is new.
    case writing(mode: UInt32)

    fileprivate var flags: Int32 {
      switch self {
      case .reading: O_RDONLY
      case .readingAtOnce: O_RDONLY | O_NONBLOCK
      case .folder: O_RDONLY | O_DIRECTORY
      case .writing: O_WRONLY | O_CREAT | O_TRUNC
      }
    }
  }

  /// What the system calls it.
  package let number: Int32
  /// What errors call it.
  package let path: String

  /// Opens a file; no other program inherits it.
  ///
  /// - Parameters:
  ///   - path: where the file is.
  ///   - purpose: what it is opened for.
  ///   - what: what an error says has failed.
  /// - Throws: `.io` naming the file.
  package init(
    _ path: String,
    _ purpose: Purpose = .reading,
    or what: String = "can't be opened"
  ) throws(RelabelError) {
    let flags = purpose.flags | O_CLOEXEC
    number =
      if case .writing(let mode) = purpose { open(path, flags, mode) } else { open(path, flags) }
    self.path = path
    guard number >= 0 else { throw .system(what, path) }
  }

  /// Takes an open descriptor and closes it when done.
  package init(owning number: Int32, path: String) {
    (self.number, self.path) = (number, path)
  }

  deinit { if number >= 0 { _ = close(number) } }

  /// The next bytes; how many there were, 0 at the end.
  ///
  /// - Throws: `.io` naming the file.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(RelabelError) -> Int {
    while true {
      let count = Glibc.read(number, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .system("can't be read", path) }
    }
  }

  /// Bytes from `offset` as far as one call of the system gives them; none where it refuses.
  package func readSome(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    max(pread(number, buffer.baseAddress, buffer.count, offset), 0)
  }

  /// Writes all of some bytes.
  ///
  /// - Throws: `.io` naming the file.
  package func write(_ bytes: [UInt8]) throws(RelabelError) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        Glibc.write(number, $0.baseAddress, $0.count)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("can't be written", path)
      }
      written += count
    }
  }

  /// Waits until what was written is on disk.
  ///
  /// Calls `fsync`.
  /// - Throws: `.io` naming the file.
  package func sync() throws(RelabelError) {
    guard fsync(number) == 0 else { throw .system("can't be synced to disk", path) }
  }

  /// True while a path leads to this file or folder.
  package func leads(to path: String) -> Bool {
    guard case .success(let own) = FileStatus.of(descriptor: number),
      case .success(let found) = FileStatus.of(path)
    else { return false }
    return own.identity == found.identity
  }

  /// Waits until the names in a folder are on disk, where its file system can do that.
  ///
  /// CIFS and some file systems in user space refuse it for every folder; what lies in the folder is safe without,
  /// as long as each file was synced. Calls `fsync`.
  /// - Throws: `.io` naming the folder.
  package func syncFolder() throws(RelabelError) {
    guard fsync(number) == 0 || [EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS, EBADF].contains(errno) else {
      throw .system("can't be synced to disk", path)
    }
  }

  /// Linux's ways to seek that Swift does not import (`SEEK_DATA`, `SEEK_HOLE`).
  private enum Seek {
    static let data: Int32 = 3
    static let hole: Int32 = 4
  }

  /// Bytes of the file that are no holes, as far as its file system tells holes from data.
  ///
  /// For a file that is read from its start afterwards. Calls `lseek`.
  /// - Complexity: two calls for each hole.
  package func dataBytes(of bytes: Int64) -> Int64 {
    defer { lseek(number, 0, SEEK_SET) }
    var total: Int64 = 0
    var end: Int64 = 0
    while end < bytes {
      let start = lseek(number, off_t(end), Seek.data)
      // ENXIO: nothing but a hole follows.
      guard start >= 0 else { return errno == ENXIO ? total : bytes }
      let hole = lseek(number, start, Seek.hole)
      guard hole > start else { return bytes }
      total += Int64(hole - start)
      end = Int64(hole)
    }
    return total
  }

  /// Locks it for this process; false when another has done so.
  ///
  /// The lock goes away with the process. File systems without locks are not refused. Calls `flock`.
  package func lock() -> Bool {
    flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
  }
}
