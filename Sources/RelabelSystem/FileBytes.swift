internal import Glibc
package import RelabelFormat

/// The bytes of a regular file, which is open as long as the object lives.
///
/// Callable from any thread.
package final class FileBytes: ByteSource {
  package let byteCount: UInt64
  private let file: FileDescriptor

  /// - Throws: `.io` when the file can't be opened or is not a regular one.
  package init(_ path: String) throws(RelabelError) {
    byteCount = UInt64(try Folder.fileBytes(path))
    file = try FileDescriptor(path)
  }

  package func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(RelabelError) {
        try read(
          at: offset,
          into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
        )
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  package func bytes(
    at offset: UInt64,
    count: Int,
    in room: UnsafeMutableRawBufferPointer
  ) throws(RelabelError) -> UnsafeRawBufferPointer {
    let part = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
    try read(at: offset, into: part)
    return UnsafeRawBufferPointer(part)
  }

  /// Fills `buffer` from `offset`.
  ///
  /// Calls `pread`.
  /// - Throws: `.io` when the system refuses.
  package func read(
    at offset: UInt64,
    into buffer: UnsafeMutableRawBufferPointer
  ) throws(RelabelError) {
    var filled = 0
    while filled < buffer.count, let base = buffer.baseAddress {
      let place = off_t(clamping: offset) + off_t(filled)
      let got = pread(file.number, base + filled, buffer.count - filled, place)
      if got > 0 {
        filled += got
      } else if got == 0 {
        throw RelabelError(
          .io,
          "the file became shorter while it was read",
          at: Location(file: file.path)
        )
      } else if errno != EINTR {
        throw .system("can't be read", file.path)
      }
    }
  }
}
