import Relabel
import RelabelWriting

/// Writes some rows of a damaged shard into a new one, stored bytes unchanged.
///
/// Memory is bounded by a few chunks of each dataset.
struct RowCopy {
  private let order: CopyOrder

  /// - Throws: `.internalFault` for an invalid request.
  init(_ request: JSON) throws(RelabelError) {
    guard let path = request["order"]?.string else {
      throw RelabelError(.internalFault, "this is no request")
    }
    order = try CopyOrder(readFrom: path)
  }

  /// Writes the shard, and sends how many rows are done now and then.
  ///
  /// - Throws: `.io` when rows that could be read before can't be read again, or for a full disk.
  func run(_ send: ShardTask.Send) throws(RelabelError) {
    let shard = try SalvagedFile(order.path)
    var header = shard.file.header
    (header.buildID, header.writer) = (order.buildID, order.writer)
    if let rowOrder = order.rowOrder { header.rowOrder = rowOrder }
    let optional = Layout.optional.filter { order.optional.contains($0.name) }
    var reader = ImageReader(shard, order, optional)
    do throws(RelabelError) {
      var writer = try ShardWriter(
        order.target,
        header: header,
        copying: shard.file,
        optional: optional
      )
      for rows in runs(of: shard.file) {
        try writer.append(try images(rows, &reader), jobs: order.jobs)
        try send(.object(["copied": .integer(Int64(rows.count))]))
      }
      _ = try writer.finish(jobs: order.jobs)
    } catch {
      // What has no place is about the new file: a full disk.
      throw error.located(Location(file: order.target))
    }
  }

  private func images(
    _ rows: ArraySlice<Int>,
    _ reader: inout ImageReader
  ) throws(RelabelError) -> [EncodedImage] {
    do throws(RelabelError) {
      return try reader.images(rows)
    } catch {
      throw error.located(Location(file: order.path))
    }
  }

  /// The rows, cut where some chunks are full.
  private func runs(of file: ShardFile) -> [ArraySlice<Int>] {
    let rowsAtOnce = file.chunksAtOnce * file.classIndex.rowsPerChunk
    var runs: [ArraySlice<Int>] = []
    var rest = order.rows[...]
    while let first = rest.first {
      let run = rest.prefix { $0 / rowsAtOnce == first / rowsAtOnce }
      runs.append(run)
      rest = rest.dropFirst(run.count)
    }
    return runs
  }
}

/// Reads whole images as they are stored.
private struct ImageReader {
  private let file: ShardFile
  private let codec: MapCodec
  private let order: CopyOrder
  private var keys: RowCursor
  private var imageIndexes: RowCursor
  private var values: [(name: String, fill: [UInt8], cursor: RowCursor?)]

  init(_ shard: SalvagedFile, _ order: CopyOrder, _ optional: [Layout.Column]) {
    file = shard.file
    codec = MapCodec(file.header)
    self.order = order
    keys = RowCursor(file.imageKey)
    imageIndexes = RowCursor(file.imageIndex)
    let columns = Dictionary(uniqueKeysWithValues: shard.file.optional)
    values = optional.map { layout in
      let type = columns[layout.name]?.description.type ?? layout.types.first ?? .uint8
      let header = shard.file.header
      let shape = layout.rowShape(header.shape, numClasses: header.numClasses)
      let elements = shape.reduce(1, *)
      let fill = [[UInt8]](repeating: Layout.fillValue(type), count: elements).flatMap(\.self)
      return (layout.name, fill, columns[layout.name].map(RowCursor.init))
    }
  }

  /// The images of some rows, which lie in few chunks.
  mutating func images(_ rows: ArraySlice<Int>) throws(RelabelError) -> [EncodedImage] {
    let perChunk = file.classIndex.rowsPerChunk
    let rowsOfChunk = Dictionary(grouping: rows) { $0 / perChunk }
    let chunks = rowsOfChunk.keys.sorted()
    let file = file
    let labels = Parallel.map(chunks.count, jobs: order.jobs) { file.labels(ofChunk: chunks[$0]) }
    var images: [EncodedImage] = []
    for (chunk, labels) in zip(chunks, labels) {
      for row in rowsOfChunk[chunk] ?? [] { images.append(try image(row, labels)) }
    }
    return images
  }

  private mutating func image(
    _ row: Int,
    _ labels: Result<ChunkLabels, RowFault>
  ) throws(RelabelError) -> EncodedImage {
    let labels = try read(row, labels.mapError { ChunkDamage(description: $0.reason) })
    let place = row % file.classIndex.rowsPerChunk
    var image = codec.stored(
      key: try key(row),
      imageIndex: try imageIndex(row),
      classIndex: Array(labels.classIndex(ofRow: place)),
      score: Array(labels.score(ofRow: place))
    )
    for place in values.indices { image.optional.append(try value(row, at: place)) }
    return image
  }

  private mutating func key(_ row: Int) throws(RelabelError) -> String {
    if let key = order.keys[row] { return key }
    guard let key = ShardFile.key(try read(row, keys.row(row))) else {
      throw unreadable(row, "its key is not valid UTF-8")
    }
    return key
  }

  private mutating func imageIndex(_ row: Int) throws(RelabelError) -> Int64 {
    if let index = order.imageIndexes[row] { return index }
    return ShardFile.imageIndexes(Array(try read(row, imageIndexes.row(row))))[0]
  }

  private mutating func value(_ row: Int, at place: Int) throws(RelabelError) -> [UInt8] {
    if order.unknown[values[place].name]?.contains(row) == true { return values[place].fill }
    let damage = ChunkDamage(description: "the header of the dataset can't be read")
    return Array(try read(row, values[place].cursor?.row(row) ?? .failure(damage)))
  }

  private func read<Value>(
    _ row: Int,
    _ result: Result<Value, ChunkDamage>
  ) throws(RelabelError) -> Value {
    do { return try result.get() } catch { throw unreadable(row, error.description) }
  }

  private func unreadable(_ row: Int, _ damage: String) -> RelabelError {
    RelabelError(
      .io,
      "row \(row) could be read before and can't be read again (\(damage)): the file or its disk "
        + "changes; run again"
    )
  }
}
