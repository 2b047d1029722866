import Glibc
import Relabel

/// An open file that closes itself; reads by offset, so that threads may share it.
final class OpenFile: Sendable {
  let descriptor: Int32
  let size: Int
  /// What errors call the file; for one without a name, its folder.
  let path: String

  /// Opens the file at `path` for reading.
  convenience init(reading path: String) throws(RelabelError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw RelabelError.system("the file can't be opened", path)
    }
    try self.init(owning: descriptor, path: path)
  }

  /// Takes an open descriptor and closes it when done.
  init(owning descriptor: Int32, path: String) throws(RelabelError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = RelabelError.system("the file can't be examined")
      close(descriptor)
      throw error.located(.init(file: path))
    }
    self.descriptor = descriptor
    self.path = path
    self.size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Exactly `count` bytes from `offset`; fewer are an error.
  func read(at offset: Int, count: Int) throws(RelabelError) -> [UInt8] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard offset >= 0, count >= 0, !overflow, end <= size else {
      throw RelabelError(.invalidInput, "the file is truncated: \(size) bytes, \(end) expected")
    }
    return try readUnbounded(at: offset, count: count)
  }

  /// The same without the size that the file had when it was opened.
  func readUnbounded(at offset: Int, count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(
          descriptor,
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
}

/// Bytes of a file, of a part of one, or in memory.
package struct ByteRegion: Sendable {
  enum Storage: Sendable {
    /// The whole file or a part of it, opened when it is read; nil: at the path of the image.
    case closed(path: String?)
    /// A part of a file that stays open.
    case open(OpenFile)
    /// A part of a member that was read from a stream.
    case memory([UInt8])
    /// What a dialect keeps itself: the offset is the number of a row.
    case rows
  }

  let storage: Storage
  let offset: Int
  let count: Int

  /// A part of the region; with `path` it is read from there and not at the path of its image.
  func slice(_ start: Int, _ count: Int, path: String? = nil) -> ByteRegion {
    var storage = storage
    if let path, case .closed = storage { storage = .closed(path: path) }
    return ByteRegion(storage: storage, offset: offset + start, count: count)
  }

  /// The bytes; `path` is opened when the region doesn't know its own.
  func read(limit: Int, path: @autoclosure () -> String) throws(RelabelError) -> [UInt8] {
    guard count <= limit else {
      throw RelabelError(.unsafeInput, "\(count) bytes are more than the \(limit) that are read")
    }
    switch storage {
    case .closed(let own):
      return try OpenFile(reading: own ?? path()).read(at: offset, count: count)
    case .open(let file):
      return try file.read(at: offset, count: count)
    case .memory(let bytes):
      if offset == 0 && count == bytes.count { return bytes }
      guard offset >= 0, count >= 0, offset <= bytes.count - count else {
        throw RelabelError(.internalFault, "a region lies outside its member")
      }
      return Array(bytes[offset..<offset + count])
    case .rows:
      throw RelabelError(.internalFault, "a row was read that its dialect keeps")
    }
  }
}
