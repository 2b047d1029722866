/// A chunk as stored.
package enum RawChunk: Hashable, Sendable {
  /// It was never written.
  case missing
  /// It has more bytes than asked for, and was not read.
  case oversized(bytes: Int)
  /// Its bytes; bit i of the mask means that filter i was not applied.
  case stored(bytes: [UInt8], skippedFilters: UInt32)
}
