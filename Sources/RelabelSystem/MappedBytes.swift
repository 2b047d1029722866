internal import Glibc
package import RelabelFormat

/// The bytes of a regular file, mapped into memory as long as the object lives.
///
/// Callable from any thread. A file that becomes shorter meanwhile ends the program with a bus error, so
/// it is for local files that nobody changes.
package final class MappedBytes: ByteSource {
  package let byteCount: UInt64
  // Never written to.
  nonisolated(unsafe) private let bytes: UnsafeRawBufferPointer

  /// Calls `mmap`.
  ///
  /// - Throws: `.io` when the file can't be mapped.
  package init(_ path: String) throws(RelabelError) {
    byteCount = UInt64(try Folder.fileBytes(path))
    let file = try FileDescriptor(path)
    let count = Int(byteCount)
    guard count > 0, let start = mmap(nil, count, PROT_READ, MAP_SHARED, file.number, 0),
      start != MAP_FAILED
    else { throw .system("can't be mapped into memory", path) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  package func bytes(at offset: UInt64, count: Int) -> [UInt8] { Array(part(offset, count)) }

  package func bytes(
    at offset: UInt64,
    count: Int,
    in room: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    // What is checked has to be what is used, whoever writes to the file in between.
    room.copyMemory(from: part(offset, count))
    return UnsafeRawBufferPointer(rebasing: room[..<count])
  }

  private func part(_ offset: UInt64, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(offset) + count])
  }
}
