/// Builds streams of records, from spec/stream.md alone.
struct RecordFile {
  /// The numbers of a record's fixed part.
  struct Head {
    var kind: UInt8 = 1
    var scoreType: UInt8 = 3
    var idBytes: UInt8 = 2
    var zero: UInt8 = 0
    var height: UInt16 = 1
    var width: UInt16 = 2
    var entries: UInt32 = 2

    static let dense = Head(kind: 2, idBytes: 0, entries: 6)
    static let leftOut = Head(
      kind: 3,
      scoreType: 0,
      idBytes: 0,
      height: 0,
      width: 0,
      entries: 0
    )
  }

  var bytes: [UInt8] = [0x89, 0x52, 0x4C, 0x53, 0x0D, 0x0A, 0x1A, 0x0A]
  private var count: UInt64 = 0

  static let header =
    #"{"format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit"}"#

  init(_ header: String = header) {
    bytes += Self.number(UInt32(header.utf8.count)) + Array(header.utf8)
  }

  static func number<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  /// Adds a record of these labels.
  mutating func add(_ key: String, _ head: Head = Head(), _ labels: [UInt8]) {
    add(key: Array(key.utf8), head, labels)
  }

  mutating func add(key: [UInt8], _ head: Head = Head(), _ labels: [UInt8]) {
    var body = [head.kind, head.scoreType, head.idBytes, head.zero]
    body += Self.number(head.height) + Self.number(head.width) + Self.number(head.entries)
    body += Self.number(UInt32(key.count)) + key + labels
    bytes += Self.number(UInt32(body.count)) + body
    count += 1
  }

  /// Adds a sparse record with two cells of two entries.
  mutating func addSparse(_ key: String, ids: [UInt16] = [0, 1, 2, 3]) {
    add(key, Head(), ids.flatMap(Self.number) + ArrayFile.floats([4, 3, 2, 1]))
  }

  /// The stream with its end record.
  func ended(_ count: UInt64? = nil) -> [UInt8] {
    bytes + Self.number(16 as UInt32) + Self.number(0 as UInt64) + Self.number(count ?? self.count)
  }
}
