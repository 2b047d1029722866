internal import HDF5
internal import Relabel

/// The index and the key of each row of a shard, chunk by chunk (spec, section 4.4).
///
/// Several threads may compress at once.
struct IdentityColumns: Sendable {
  private let imageIndexes: [Int64]
  private let keys: [String]
  private let perChunk: Int
  private let descriptions: [DatasetDescription]

  private static let columns = Array(Layout.required[2...3])

  init(_ header: ShardHeader, _ imageIndexes: [Int64], _ keys: [String]) {
    (self.imageIndexes, self.keys) = (imageIndexes, keys)
    descriptions = Self.columns.map(header.description(of:))
    perChunk = descriptions[0].chunk[0]
  }

  /// Chunks of each column.
  private var chunksPerColumn: Int { (keys.count + perChunk - 1) / perChunk }

  /// Chunks of both columns.
  var chunks: Int { Self.columns.count * chunksPerColumn }

  /// The stored form of a chunk: those of the first column come first.
  func encoded(_ chunk: Int) -> [UInt8] {
    let (column, place) = chunk.quotientAndRemainder(dividingBy: chunksPerColumn)
    let description = descriptions[column]
    let codec = ChunkCodec(description)
    let rows = place * perChunk..<min((place + 1) * perChunk, keys.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(codec.rawBytes)
    for row in rows {
      if column == 0 {
        withUnsafeBytes(of: imageIndexes[row].littleEndian) { bytes.append(contentsOf: $0) }
      } else {
        bytes.append(contentsOf: keys[row].utf8)
      }
      let end = (row - rows.lowerBound + 1) * description.type.size
      bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
    }
    return codec.encode(codec.padded([bytes], Layout.fillValue(description.type)))
  }

  /// Makes both datasets of the chunks that `encoded` gave, in order.
  func write(_ chunks: [[UInt8]], to file: borrowing File) throws(HDF5Error) {
    for (number, column) in Self.columns.enumerated() {
      let dataset = try file.createColumn(column, descriptions[number])
      try dataset.grow(rows: keys.count, of: [0])
      for place in 0..<chunksPerColumn {
        try dataset.writeChunk(chunks[number * chunksPerColumn + place], at: [place * perChunk])
      }
    }
  }
}
