import Glibc
import Relabel

/// Room in a temporary file that no name leads to.
///
/// Only `AnnotatorOutput.open` writes; what it holds is read from any thread afterwards.
package struct Spool {
  private let directory: String
  private var file: OpenFile?
  private var end = 0

  init(directory: String) { self.directory = directory }

  /// Sets aside room for a number of 4-byte values.
  mutating func reserve(values: Int) throws(RelabelError) -> (file: OpenFile, offset: Int) {
    guard let bytes = checkedProduct(values, 4), bytes <= Int(off_t.max) - end else {
      throw RelabelError(.unsafeInput, "the arrays are too large to be spooled")
    }
    return try reserve(bytes: bytes)
  }

  /// Sets aside room for some bytes.
  mutating func reserve(bytes: Int) throws(RelabelError) -> (file: OpenFile, offset: Int) {
    let file = if let known = self.file { known } else { try makeFile() }
    self.file = file
    defer { end += bytes }
    return (file, end)
  }

  private func makeFile() throws(RelabelError) -> OpenFile {
    // A run killed before the unlink leaves a name that the next run knows to remove.
    let suffix = PublishedFile.temporarySuffix
    var template = Array("\(directory)/.relabel-spool-XXXXXX\(suffix)".utf8CString)
    let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
    guard descriptor >= 0 else {
      throw RelabelError.system("the temporary file can't be made", directory)
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return try OpenFile(owning: descriptor, path: directory)
  }
}

extension OpenFile {
  /// Writes 4-byte values at `offset`, in the byte order of this machine.
  func write<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) throws(RelabelError) {
    var failure: RelabelError?
    values.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
        let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
        if count > 0 {
          written += count
        } else if count == 0 || errno != EINTR {
          // Not the input's fault: the folder's disk is full.
          failure = RelabelError.system("the temporary file can't be written", path)
          return
        }
      }
    }
    if let failure { throw failure }
  }

  /// Reads 4-byte values back.
  func values<Value: BitwiseCopyable>(
    at offset: Int,
    count: Int,
    as _: Value.Type
  ) throws(RelabelError) -> [Value] {
    let bytes = try readUnbounded(at: offset, count: count * MemoryLayout<Value>.stride)
    return bytes.withUnsafeBytes { bytes in
      [Value](unsafeUninitializedCapacity: count) { buffer, filled in
        for index in 0..<count {
          let place = index * MemoryLayout<Value>.stride
          buffer.initializeElement(
            at: index,
            to: bytes.loadUnaligned(fromByteOffset: place, as: Value.self)
          )
        }
        filled = count
      }
    }
  }
}
