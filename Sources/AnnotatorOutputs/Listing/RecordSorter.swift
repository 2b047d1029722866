import Relabel

/// Sorts keyed records by the bytes of their keys, most of them on disk.
///
/// An external merge sort: full buffers are sorted and written as runs, which are merged as they
/// are read. A small input never touches the disk.
struct RecordSorter<Record: BitwiseCopyable & Sendable> {
  private var buffer = RecordBuffer<Record>()
  private var runs: [Range<Int>] = []
  private var spool: Spool
  private let bufferBytes: Int

  /// - Parameters:
  ///   - directory: where the temporary file is made.
  ///   - bufferBytes: how many bytes are sorted at once.
  init(directory: String, bufferBytes: Int = 8 << 20) {
    spool = Spool(directory: directory)
    self.bufferBytes = bufferBytes
  }

  /// Adds a record.
  ///
  /// - Throws: `.io` when the temporary file can't be written.
  mutating func append(_ key: String, _ record: Record) throws(RelabelError) {
    buffer.append(key, record)
    guard buffer.byteCount >= bufferBytes else { return }
    let bytes = buffer.sorted()
    let place = try spool.reserve(bytes: bytes.count)
    try place.file.write(bytes, at: place.offset)
    runs.append(place.offset..<place.offset + bytes.count)
    buffer.removeAll()
  }

  /// Gives all records to `body`, sorted; those with equal keys in any order.
  ///
  /// - Throws: `.io` when the temporary file can't be read, and what `body` throws.
  consuming func forEach(
    _ body: (String, Record) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    var heads = [RecordRun<Record>(memory: buffer.sorted())]
    buffer.removeAll()
    if !runs.isEmpty {
      let file = try spool.reserve(bytes: 0).file
      heads += runs.map { RecordRun(file, $0) }
    }
    // The run with the lowest key is the last.
    var sorted: [RecordRun<Record>] = []
    for var run in heads where try run.advance() { Self.insert(run, into: &sorted) }
    while var run = sorted.popLast() {
      try body(String(decoding: run.key, as: UTF8.self), run.record())
      if try run.advance() { Self.insert(run, into: &sorted) }
    }
  }

  private static func insert(_ run: RecordRun<Record>, into sorted: inout [RecordRun<Record>]) {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if RecordBytes.compare(sorted[middle].key, run.key) > 0 {
        low = middle + 1
      } else {
        high = middle
      }
    }
    sorted.insert(run, at: low)
  }
}

/// How a record lies in memory and on disk: length of the key (4 bytes), key, record.
enum RecordBytes {
  static func append(_ key: String, _ record: some BitwiseCopyable, to bytes: inout [UInt8]) {
    var key = key
    key.withUTF8 { key in
      withUnsafeBytes(of: UInt32(key.count)) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: key)
    }
    withUnsafeBytes(of: record) { bytes.append(contentsOf: $0) }
  }

  /// Length of the key at the start of `bytes`.
  static func keyCount(_ bytes: UnsafeRawBufferPointer) -> Int {
    Int(bytes.loadUnaligned(as: UInt32.self))
  }

  /// Less than, equal to or greater than 0.
  static func compare(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Int {
    a.withUnsafeBytes { a in b.withUnsafeBytes { b in compare(a, b) } }
  }

  static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let sign = Memory.compare(a, b, count: min(a.count, b.count))
    return sign == 0 ? a.count - b.count : sign
  }
}

/// Records that have not been sorted yet.
private struct RecordBuffer<Record: BitwiseCopyable> {
  private var bytes: [UInt8] = []
  private var starts: [UInt32] = []

  var byteCount: Int { bytes.count }

  mutating func append(_ key: String, _ record: Record) {
    starts.append(UInt32(bytes.count))
    RecordBytes.append(key, record, to: &bytes)
  }

  mutating func removeAll() {
    bytes = []
    starts = []
  }

  /// The bytes of all records in the order of their keys.
  mutating func sorted() -> [UInt8] {
    let recordBytes = MemoryLayout<Record>.size
    return bytes.withUnsafeBytes { bytes in
      func key(_ start: UInt32) -> UnsafeRawBufferPointer {
        let first = Int(start)
        let count = RecordBytes.keyCount(UnsafeRawBufferPointer(rebasing: bytes[first...]))
        return UnsafeRawBufferPointer(rebasing: bytes[first + 4..<first + 4 + count])
      }
      starts.sort { RecordBytes.compare(key($0), key($1)) < 0 }
      var sorted: [UInt8] = []
      sorted.reserveCapacity(bytes.count)
      for start in starts {
        sorted.append(
          contentsOf: bytes[Int(start)..<Int(start) + 4 + key(start).count + recordBytes]
        )
      }
      return sorted
    }
  }
}

/// One sorted run, read a piece at a time.
private struct RecordRun<Record: BitwiseCopyable> {
  private static var pieceBytes: Int { 1 << 16 }

  private var piece: [UInt8]
  private let file: OpenFile?
  private var rest: Range<Int>
  /// Where the next record begins in `piece`.
  private var next = 0
  private var recordStart = 0
  private(set) var key: ArraySlice<UInt8> = []

  init(memory: [UInt8]) {
    (piece, file, rest) = (memory, nil, 0..<0)
  }

  init(_ file: OpenFile, _ range: Range<Int>) {
    (piece, self.file, rest) = ([], file, range)
  }

  func record() -> Record {
    piece.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: recordStart, as: Record.self) }
  }

  /// Goes to the next record; false at the end.
  mutating func advance() throws(RelabelError) -> Bool {
    key = []
    guard try hold(4) else { return false }
    let count = piece[next...].withUnsafeBytes { RecordBytes.keyCount($0) }
    guard try hold(4 + count + MemoryLayout<Record>.size) else { return false }
    key = piece[next + 4..<next + 4 + count]
    recordStart = next + 4 + count
    next = recordStart + MemoryLayout<Record>.size
    return true
  }

  /// Makes sure that so many bytes from `next` are in `piece`.
  private mutating func hold(_ count: Int) throws(RelabelError) -> Bool {
    if piece.count - next >= count { return true }
    guard let file, !rest.isEmpty else { return false }
    piece.removeFirst(next)
    next = 0
    let wanted = min(max(Self.pieceBytes, count - piece.count), rest.count)
    piece += try file.readUnbounded(at: rest.lowerBound, count: wanted)
    rest = rest.lowerBound + wanted..<rest.upperBound
    return piece.count >= count
  }
}
