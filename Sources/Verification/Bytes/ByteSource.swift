import Glibc
package import Relabel

/// Bytes that can be read at any offset: those of a file, or of memory in tests and fuzzers.
package protocol ByteSource {
  /// How many there are.
  var byteCount: UInt64 { get }

  /// Exactly `count` bytes from `offset`, a range that lies within `byteCount`.
  ///
  /// - Throws: `.io` when the system refuses.
  func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8]
}

extension [UInt8]: ByteSource {
  package var byteCount: UInt64 { UInt64(count) }

  package func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    Array(self[Int(offset)..<Int(offset) + count])
  }
}

/// The bytes of a regular file, which is open as long as the object lives.
final class FileBytes: ByteSource {
  let byteCount: UInt64
  private let descriptor: Int32
  private let path: String

  /// - Throws: `.io` when the file can't be opened or is not a regular one.
  init(_ path: String) throws(RelabelError) {
    byteCount = UInt64(try Folder.fileBytes(path))
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    self.path = path
    if descriptor < 0 { throw .system("can't be opened", path) }
  }

  deinit {
    if descriptor >= 0 { _ = close(descriptor) }
  }

  func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count, let base = buffer.baseAddress {
        let place = off_t(clamping: offset) + off_t(filled)
        let got = pread(descriptor, base + filled, count - filled, place)
        if got > 0 {
          filled += got
        } else if got == 0 {
          failure = RelabelError(
            .io,
            "the file became shorter while it was read",
            at: Location(file: path)
          )
          return
        } else if errno != EINTR {
          failure = .system("can't be read", path)
          return
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
