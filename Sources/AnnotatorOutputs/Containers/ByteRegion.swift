import Relabel

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
