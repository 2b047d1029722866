package import HDF5

/// Why a stored chunk can't be decoded.
package enum ChunkFault: Error, Hashable, Sendable, CustomStringConvertible {
  case missing
  case tooLong(bytes: Int)
  case checksumSkipped
  case tooShort
  case checksum(stored: UInt32, computed: UInt32)
  case stream

  package var description: String {
    switch self {
    case .missing: "the chunk was never written"
    case .tooLong(let bytes): "the stored chunk has \(bytes) bytes, more than any sound one"
    case .checksumSkipped: "the chunk's filter mask skips fletcher32"
    case .tooShort: "the stored chunk is too short to hold a checksum"
    case .checksum(let stored, let computed):
      "the stored checksum is \(stored), the bytes give \(computed)"
    case .stream: "the chunk does not decode to its exact size"
    }
  }
}

/// Turns chunks into their stored bytes and back: shuffle, deflate, fletcher32 (spec, "Filters").
package struct ChunkCodec: Hashable, Sendable {
  /// The filters, in the order of writing.
  package let filters: [Filter]
  /// Bytes of one element.
  package let elementSize: Int
  /// Bytes of one chunk before filtering.
  package let rawBytes: Int

  package init(_ description: DatasetDescription) {
    filters = description.filters
    elementSize = description.type.size
    rawBytes = description.chunk.reduce(description.type.size, *)
  }

  /// The most bytes a sound stored chunk can have (spec, section 3.11).
  package var largestStored: Int { rawBytes + rawBytes / 512 + 128 }

  /// The stored form of a chunk.
  ///
  /// Callable from any thread.
  package func encode(_ raw: [UInt8]) -> [UInt8] {
    precondition(raw.count == rawBytes)
    var bytes = raw
    for filter in filters {
      switch filter {
      case .shuffle: bytes = Shuffle.shuffled(bytes, elementSize: elementSize)
      case .deflate(let level): bytes = Deflate.compressed(bytes, level: level)
      case .fletcher32:
        let checksum = Fletcher32.checksum(bytes.span)
        for shift in stride(from: 0 as UInt32, to: 32, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
      case .other: preconditionFailure("no writer makes other filters")
      }
    }
    return bytes
  }

  /// The chunk that some stored bytes hold.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - stored: the bytes as `H5Dread_chunk` gives them.
  ///   - skipped: bit i set means filter i was not applied.
  /// - Returns: `rawBytes` bytes.
  /// - Throws: why the bytes hold no such chunk.
  package func decode(_ stored: [UInt8], skipped: UInt32) throws(ChunkFault) -> [UInt8] {
    var bytes = stored[...]
    for (position, filter) in filters.enumerated().reversed() {
      let isSkipped = skipped & (1 << UInt32(position)) != 0
      switch filter {
      case .fletcher32:
        if isSkipped { throw .checksumSkipped }
        guard bytes.count >= 4 else { throw .tooShort }
        let expected = bytes.suffix(4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        bytes = bytes.dropLast(4)
        let computed = Fletcher32.checksum(bytes.span)
        if computed != expected { throw .checksum(stored: expected, computed: computed) }
      case .deflate where !isSkipped:
        guard let raw = Deflate.decompressed(bytes, size: rawBytes) else { throw .stream }
        bytes = raw[...]
      case .shuffle where !isSkipped:
        guard bytes.count == rawBytes else { throw .stream }
        bytes = Shuffle.unshuffled(Array(bytes), elementSize: elementSize)[...]
      default: break
      }
    }
    guard bytes.count == rawBytes else { throw .stream }
    return Array(bytes)
  }
}
