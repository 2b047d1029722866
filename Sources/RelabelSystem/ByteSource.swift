import Glibc
package import RelabelFormat

/// Bytes that can be read at any offset: those of a file, or of memory in tests and fuzzers.
package protocol ByteSource: Sendable {
  /// How many there are.
  var byteCount: UInt64 { get }

  /// Exactly `count` bytes from `offset`, a range that lies within `byteCount`.
  ///
  /// - Throws: `.io` when the system refuses.
  func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8]

  /// Gives them to `body` where they lie, if they are in memory.
  ///
  /// - Throws: as `bytes(at:count:)`.
  func withBytes<Value>(
    at offset: UInt64,
    count: Int,
    _ body: (UnsafeRawBufferPointer) -> Value
  ) throws(RelabelError) -> Value
}

extension ByteSource {
  package func withBytes<Value>(
    at offset: UInt64,
    count: Int,
    _ body: (UnsafeRawBufferPointer) -> Value
  ) throws(RelabelError) -> Value {
    let bytes = try bytes(at: offset, count: count)
    return bytes.withUnsafeBytes(body)
  }
}

extension [UInt8]: ByteSource {
  package var byteCount: UInt64 { UInt64(count) }

  package func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    Array(self[Int(offset)..<Int(offset) + count])
  }
}

/// The bytes of a regular file, which is open as long as the object lives.
///
/// Callable from any thread.
package final class FileBytes: ByteSource {
  package let byteCount: UInt64
  private let descriptor: Int32
  private let path: String

  /// - Throws: `.io` when the file can't be opened or is not a regular one.
  package init(_ path: String) throws(RelabelError) {
    byteCount = UInt64(try Folder.fileBytes(path))
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.path = path
    if descriptor < 0 { throw .system("can't be opened", path) }
  }

  deinit {
    if descriptor >= 0 { _ = close(descriptor) }
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
      let got = pread(descriptor, base + filled, buffer.count - filled, place)
      if got > 0 {
        filled += got
      } else if got == 0 {
        throw RelabelError(
          .io,
          "the file became shorter while it was read",
          at: Location(file: path)
        )
      } else if errno != EINTR {
        throw .system("can't be read", path)
      }
    }
  }
}

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
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("can't be opened", path) }
    defer { _ = close(descriptor) }
    let count = Int(byteCount)
    guard count > 0, let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0),
      start != MAP_FAILED
    else { throw .system("can't be mapped into memory", path) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  package func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    withBytes(at: offset, count: count) { Array($0) }
  }

  package func withBytes<Value>(
    at offset: UInt64,
    count: Int,
    _ body: (UnsafeRawBufferPointer) -> Value
  ) -> Value {
    body(UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<Int(offset) + count]))
  }
}
