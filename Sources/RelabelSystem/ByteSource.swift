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
