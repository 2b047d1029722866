internal import Glibc
package import RelabelFormat

/// An open file that closes itself; reads by offset, so that threads may share it.
///
/// Its size is that of the time when it was opened.
package final class OpenFile: Sendable {
  /// The size of the file.
  package let size: Int
  private let file: FileDescriptor

  /// What the system calls the file, for libraries that read it themselves.
  package var descriptor: Int32 { file.number }
  /// What errors call the file; for one without a name, its folder.
  package var path: String { file.path }

  /// Opens the file at `path` for reading.
  package convenience init(reading path: String) throws(RelabelError) {
    try self.init(FileDescriptor(path, or: "the file can't be opened"))
  }

  /// Takes an open file and closes it when done.
  init(_ file: consuming FileDescriptor) throws(RelabelError) {
    let status: FileStatus
    do throws(SystemError) { status = try FileStatus.of(descriptor: file.number).get() } catch {
      throw .system("the file can't be examined", file.path, error)
    }
    size = status.bytes
    self.file = file
  }

  /// The standard input of this process.
  package static func standardInput() throws(RelabelError) -> OpenFile {
    let descriptor = dup(STDIN_FILENO)
    guard descriptor >= 0 else { throw RelabelError.system("standard input can't be read") }
    return try OpenFile(FileDescriptor(owning: descriptor, path: "standard input"))
  }

  /// Goes to the start or to another place, for those who read `descriptor` from there on.
  package func rewind(to offset: Int = 0) throws(RelabelError) {
    guard lseek(file.number, off_t(offset), SEEK_SET) == off_t(offset) else {
      throw RelabelError.system("the file can't be read", path)
    }
  }

  /// Lets the system read some bytes ahead, as it would for somebody who reads front to back.
  ///
  /// A hint: where the system takes none, reading waits for the disk. Calls `posix_fadvise`.
  package func expectReading(at offset: Int, count: Int) {
    _ = posix_fadvise(file.number, off_t(offset), off_t(count), POSIX_FADV_WILLNEED)
  }

  /// Bytes from `offset` as far as one call of the system gives them; none where it refuses.
  package func readSome(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    file.readSome(at: offset, into: buffer)
  }

  /// The next bytes of a pipe, or of a file that is read front to back; how many there were, 0 at the end.
  ///
  /// - Throws: `.io` naming the file.
  package func readOn(into buffer: UnsafeMutableRawBufferPointer) throws(RelabelError) -> Int {
    try file.read(into: buffer)
  }

  /// Exactly `count` bytes from `offset`; fewer are an error.
  package func read(at offset: Int, count: Int) throws(RelabelError) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset >= 0, count >= 0, !overflow, end <= size else {
      throw RelabelError(.invalidInput, "the file is truncated: \(size) bytes, \(end) expected")
    }
    return try readUnbounded(at: offset, count: count)
  }

  /// The same without the size that the file had when it was opened.
  package func readUnbounded(at offset: Int, count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(
          file.number,
          buffer.baseAddress.map { $0 + filled },
          count - filled,
          off_t(offset + filled)
        )
        if got > 0 {
          filled += got
        } else if got == 0 {
          failure = RelabelError(.io, "the file became shorter while it was read")
          return
        } else if errno != EINTR {
          failure = RelabelError.system("the file can't be read")
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Writes all of some bytes at `offset`.
  ///
  /// - Throws: `.io` naming the file's path.
  package func write(
    bytes: UnsafeRawBufferPointer,
    at offset: Int
  ) throws(RelabelError) {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = pwrite(file.number, rest.baseAddress, rest.count, off_t(offset + written))
      if count > 0 {
        written += count
      } else if count == 0 || errno != EINTR {
        // Not the input's fault: the folder's disk is full.
        throw RelabelError.system("the temporary file can't be written", path)
      }
    }
  }
}
