internal import HelperProcesses
internal import Relabel

/// Lists the images of a shard: one fact about the shard, then batch by batch their keys as one
/// text, and sizes and digests as words.
enum ImageListing {
  static let task = "list-images"

  /// The helper's side.
  static func run(
    _ request: JSON,
    _ send: (HelperMessage) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let path = request["path"]?.string ?? ""
    var first: Violation?
    guard let file = try ShardFile.open(path, report: { first = first ?? $0 }), first == nil else {
      throw (first ?? Violation(.c001, "the shard can't be opened")).error(file: nil)
    }
    let meaning = ShardMeaning(file)
    try send(HelperMessage(meaning.json))
    var keys = ColumnRows(Layout.imageKey, file)
    var sizes = ColumnRows(Layout.imageSize, file)
    var digests = ColumnRows(Layout.imageSHA256, file)
    for start in stride(from: 0, to: file.rows, by: ImageBatch.rows) {
      let rows = start..<min(start + ImageBatch.rows, file.rows)
      let width = file.header.keyBytes
      let names = ShardFile.imageKeys(try keys?.bytes(of: rows) ?? [], width: width).map {
        $0.flatMap { ImageKey.fault($0) == nil ? $0 : nil } ?? ""
      }
      // No key holds a line break.
      try send(HelperMessage(.object(["keys": .string(names.joined(separator: "\n"))])))
      // A size is one word, a digest four.
      if let bytes = try sizes?.bytes(of: rows) { try send(HelperMessage(.words, bytes)) }
      if let bytes = try digests?.bytes(of: rows) { try send(HelperMessage(.words, bytes)) }
    }
  }
}

/// The rows of one HDF5 dataset in turn; keeps the chunk that was read last.
private struct ColumnRows {
  private let check: ColumnCheck
  private var held: (chunk: Int, bytes: ArraySlice<UInt8>) = (-1, [])

  /// Nil when the shard has no such dataset.
  init?(_ name: String, _ file: ShardFile) {
    guard let column = file.columns.first(where: { $0.name == name })?.column else { return nil }
    check = ColumnCheck(name, column)
  }

  /// - Throws: `.corrupt` for a chunk that can't be decoded.
  mutating func bytes(of rows: Range<Int>) throws(RelabelError) -> [UInt8] {
    let column = check.column
    var bytes: [UInt8] = []
    var row = rows.lowerBound
    while row < rows.upperBound {
      let chunk = row / column.rowsPerChunk
      if held.chunk != chunk {
        var tally = Tally()
        guard let decoded = check.bytes(ofChunk: chunk, &tally) else {
          throw RelabelError(.corrupt, tally.entries.first?.first.message ?? "a chunk is broken")
        }
        held = (chunk, decoded)
      }
      let end = min(rows.upperBound, (chunk + 1) * column.rowsPerChunk)
      let first = held.bytes.startIndex - chunk * column.rowsPerChunk * column.rowBytes
      bytes += held.bytes[first + row * column.rowBytes..<first + end * column.rowBytes]
      row = end
    }
    return bytes
  }
}

/// Puts the batches together again; the sender is not trusted.
struct ImageListingReceiver {
  private(set) var meaning: ShardMeaning?
  private var batch: ImageBatch?
  private var words: [UInt64] = []
  private var rows = 0

  /// - Returns: a batch when it is complete.
  mutating func receive(_ message: HelperMessage) throws(RelabelError) -> ImageBatch? {
    switch message.kind {
    case .fact: try receive(try message.json())
    case .words:
      guard batch != nil else { throw Self.nonsense }
      words += message.words
    case .progress, .done: return nil
    case .bytes: throw Self.nonsense
    }
    return try takeBatch()
  }

  private mutating func receive(_ fact: JSON) throws(RelabelError) {
    if meaning == nil {
      meaning = ShardMeaning(fact)
      return
    }
    guard batch == nil, let text = fact["keys"]?.string else { throw Self.nonsense }
    let keys = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard keys.count <= ImageBatch.rows else { throw Self.nonsense }
    batch = ImageBatch(firstRow: rows, keys: keys)
    rows += keys.count
    words = []
  }

  private mutating func takeBatch() throws(RelabelError) -> ImageBatch? {
    guard let meaning else { throw Self.nonsense }
    guard var batch else { return nil }
    let sizes = meaning.hasSizes ? batch.keys.count : 0
    let digests = meaning.hasDigests ? batch.keys.count * 4 : 0
    guard rows <= meaning.rows, words.count <= sizes + digests else { throw Self.nonsense }
    guard words.count == sizes + digests else { return nil }
    batch.sizes = words[..<sizes].map {
      PictureSize(height: Int($0 & 0xFFFF_FFFF), width: Int($0 >> 32))
    }
    for word in words[sizes...] {
      withUnsafeBytes(of: word.littleEndian) { batch.digests += $0 }
    }
    self.batch = nil
    return batch
  }

  private static var nonsense: RelabelError {
    RelabelError(.corrupt, "a list of images that makes no sense")
  }
}
