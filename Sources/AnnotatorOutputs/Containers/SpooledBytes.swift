import Relabel

/// Bytes that were appended once and are read from any thread; on disk when there are many.
struct SpooledBytes: Sendable {
  private let memory: [UInt8]
  private let file: OpenFile?
  private let count: Int

  /// Bytes from `offset`, fewer at the end.
  func read(at offset: Int, atMost wanted: Int) throws(RelabelError) -> [UInt8] {
    let end = min(count, offset + wanted)
    guard let file else { return Array(memory[offset..<end]) }
    return try file.readUnbounded(at: offset, count: end - offset)
  }

  /// Appends bytes.
  struct Writer {
    private static let bufferBytes = 1 << 20

    private var spool: Spool
    private var buffer: [UInt8] = []
    private var written = 0

    init(directory: String) { spool = Spool(directory: directory) }

    /// Bytes appended so far.
    var count: Int { written + buffer.count }

    /// Lets `body` append to the bytes.
    mutating func append(_ body: (inout [UInt8]) -> Void) throws(RelabelError) {
      body(&buffer)
      if buffer.count >= Self.bufferBytes { try flush() }
    }

    private mutating func flush() throws(RelabelError) {
      let place = try spool.reserve(bytes: buffer.count)
      try place.file.write(buffer, at: place.offset)
      written += buffer.count
      buffer.removeAll(keepingCapacity: true)
    }

    consuming func finish() throws(RelabelError) -> SpooledBytes {
      if written == 0 { return SpooledBytes(memory: buffer, file: nil, count: count) }
      try flush()
      return SpooledBytes(memory: [], file: try spool.reserve(bytes: 0).file, count: written)
    }
  }
}
