package import RelabelFormat

/// Bytes that can be read at any offset: those of a file, or of memory in tests and fuzzers.
package protocol ByteSource: Sendable {
  /// How many there are.
  var byteCount: UInt64 { get }

  /// Exactly `count` bytes from `offset`, a range that lies within `byteCount`.
  ///
  /// - Throws: `.io` when the system refuses.
  func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8]

  /// The same where they lie, if they are in memory, else read into `room`, which has space for them.
  ///
  /// - Returns: the bytes, for as long as the source and `room` live.
  /// - Throws: as `bytes(at:count:)`.
  func bytes(
    at offset: UInt64,
    count: Int,
    in room: UnsafeMutableRawBufferPointer
  ) throws(RelabelError) -> UnsafeRawBufferPointer
}

extension ByteSource {
  package func bytes(
    at offset: UInt64,
    count: Int,
    in room: UnsafeMutableRawBufferPointer
  ) throws(RelabelError) -> UnsafeRawBufferPointer {
    room.copyBytes(from: try bytes(at: offset, count: count))
    return UnsafeRawBufferPointer(rebasing: room[..<count])
  }
}

extension [UInt8]: ByteSource {
  package var byteCount: UInt64 { UInt64(count) }

  package func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    Array(self[Int(offset)..<Int(offset) + count])
  }
}
