package import RelabelFormat

/// Why a stored chunk can't be decoded.
package enum ChunkFault: Error, Hashable, Sendable, CustomStringConvertible {
  case missing
  case tooLong(bytes: Int)
  case checksumSkipped
  case tooShort
  case checksum(stored: UInt32, computed: UInt32)
  case stream

  /// The rule that such a chunk breaks.
  package var rule: Rule {
    switch self {
    case .missing: .c007
    case .tooLong: .c006
    case .checksumSkipped: .c009
    case .tooShort, .checksum, .stream: .c008
    }
  }

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
  package private(set) var filters: [Filter]
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

  /// The stored form of a chunk, without shuffle and deflate where these save less than a fifth.
  ///
  /// - Returns: the bytes, and the mask of the filters that were skipped (spec, section 3.8).
  package func encodeIfUseful(_ raw: [UInt8]) -> (bytes: [UInt8], skipped: UInt32) {
    let bytes = encode(raw)
    guard filters.count > 1, bytes.count > rawBytes - rawBytes / 5 else { return (bytes, 0) }
    var plain = self
    plain.filters = [.fletcher32]
    return (plain.encode(raw), (1 << UInt32(filters.count - 1)) - 1)
  }

  /// The chunk that some stored bytes hold.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - stored: the bytes as they lie in the file.
  ///   - skipped: bit i means filter i was not applied.
  /// - Returns: `rawBytes` bytes.
  /// - Throws: why the bytes hold no such chunk.
  package func decode(
    _ stored: UnsafeRawBufferPointer,
    skipped: UInt32
  ) throws(ChunkFault) -> [UInt8] {
    let room = ChunkRoom()
    return try withExtendedLifetime(room) { () throws(ChunkFault) in
      Array(try decode(stored, skipped: skipped, in: room))
    }
  }

  /// The same in memory that is used again.
  ///
  /// - Returns: the bytes where they were stored, or in `room`.
  func decode(
    _ stored: UnsafeRawBufferPointer,
    skipped: UInt32,
    in room: ChunkRoom
  ) throws(ChunkFault) -> UnsafeRawBufferPointer {
    // What no filter has made anew yet lies where it was read.
    var body = stored
    var isMade = false
    for (position, filter) in filters.enumerated().reversed() {
      let isSkipped = skipped & (1 << UInt32(position)) != 0
      switch filter {
      case .fletcher32:
        if isSkipped { throw .checksumSkipped }
        // Every chain ends with it (spec, section 3.8).
        guard !isMade, body.count >= 4 else { throw .tooShort }
        let checked = UnsafeRawBufferPointer(rebasing: body.dropLast(4))
        let expected = UInt32(
          littleEndian: body.loadUnaligned(fromByteOffset: checked.count, as: UInt32.self)
        )
        let computed = Fletcher32.checksum(checked)
        if computed != expected { throw .checksum(stored: expected, computed: computed) }
        body = checked
      case .deflate where !isSkipped:
        let made = room.inflated(rawBytes)
        guard !isMade, room.decompressor.inflate(body, into: made) else { throw .stream }
        body = UnsafeRawBufferPointer(made)
        isMade = true
      case .shuffle where !isSkipped:
        let made = room.unshuffled(rawBytes)
        // No chain shuffles twice, which would read what it writes.
        let isElsewhere = body.baseAddress != UnsafeRawPointer(made.baseAddress)
        guard body.count == rawBytes, isElsewhere else { throw .stream }
        Shuffle.unshuffle(body, elementSize: elementSize, into: made)
        body = UnsafeRawBufferPointer(made)
        isMade = true
      default: break
      }
    }
    guard body.count == rawBytes else { throw .stream }
    return body
  }
}
