internal import HDF5
public import Relabel

/// The contents of a finished shard.
public struct ShardSummary: Hashable, Sendable {
  /// Rows of the shard.
  public let rows: Int
  /// The largest |decoded − given| of all scores.
  public let largestError: Double
  /// Lowest and highest decoded score; nil without rows.
  public let scoreRange: ClosedRange<Float>?
}

/// Writes one shard: rows in the order they come, compressed by several threads.
///
/// The file has a temporary name until `finish` has published it; a writer that goes away
/// unfinished removes it. Use from one thread at a time.
public struct ShardWriter: ~Copyable {
  private let labels: LabelColumns
  private let file: File
  private var published: PublishedFile
  private let header: ShardHeader
  private let optional: [ColumnWriter]
  /// The shard that all rows come from, when they are copied.
  private let original: ShardFile?
  private var pending: [EncodedImage] = []
  private var keys: [String] = []
  private var imageIndexes: [Int64] = []
  private var largestError = 0.0
  private var scoreRange: ClosedRange<Float>?

  /// Creates the shard's temporary file beside `path`.
  ///
  /// - Throws: `.io` when the folder can't be written.
  public init(_ path: String, header: ShardHeader) throws(RelabelError) {
    try self.init(path, header: header, copying: nil, optional: [])
  }

  /// Creates the temporary file of a shard whose rows come from another.
  ///
  /// - Parameters:
  ///   - path: where the shard will be.
  ///   - header: as that of `original`, but for what may differ between them.
  ///   - original: its largest error and vendor attributes are taken over.
  ///   - optional: the optional datasets; every image brings its values of them.
  /// - Throws: `.io` when the folder can't be written.
  package init(
    _ path: String,
    header: ShardHeader,
    copying original: ShardFile?,
    optional: [Layout.Column]
  ) throws(RelabelError) {
    let published = PublishedFile(path)
    let temporary = published.temporaryPath
    let file = try writing(path) { () throws(HDF5Error) in try File.create(temporary) }
    let labels = try writing(path) { () throws(HDF5Error) in try LabelColumns(file, header) }
    self.optional = try writing(path) { () throws(HDF5Error) in
      var writers: [ColumnWriter] = []
      for column in optional {
        let description = header.description(of: column)
        let dataset = try file.createColumn(column, description)
        writers.append(ColumnWriter(dataset, description))
      }
      return writers
    }
    self.original = original
    self.labels = labels
    self.file = file
    self.published = published
    self.header = header
  }

  /// Appends rows.
  ///
  /// - Parameters:
  ///   - images: rows made by this shard's `MapCodec`.
  ///   - jobs: threads that compress; the bytes do not depend on it.
  /// - Throws: `.io`; the shard can't be finished then.
  public mutating func append(_ images: [EncodedImage], jobs: Int) throws(RelabelError) {
    for image in images {
      keys.append(image.key)
      imageIndexes.append(image.imageIndex)
      largestError = max(largestError, image.largestError)
      let range = image.scoreRange
      scoreRange =
        scoreRange.map {
          min($0.lowerBound, range.lowerBound)...max($0.upperBound, range.upperBound)
        } ?? range
    }
    try writing(published.path) { () throws(HDF5Error) in
      for (place, column) in optional.enumerated() {
        for image in images { try column.append(image.optional[place]) }
      }
    }
    pending += images
    let whole = pending.count - pending.count % header.imagesPerChunk
    try write(Array(pending[..<whole]), jobs: jobs)
    pending.removeFirst(whole)
  }

  /// Writes the last chunk, the keys and the attributes, closes, checks and publishes the file.
  ///
  /// - Parameters:
  ///   - jobs: threads that compress the last chunk.
  ///   - check: looks at the closed file under its temporary name before it is published.
  /// - Returns: what the shard holds.
  /// - Throws: `.io`, or what `check` throws; nothing is published then.
  public consuming func finish(
    jobs: Int = 1,
    check: (_ temporaryPath: String) throws(RelabelError) -> Void = { _ in }
  ) throws(RelabelError) -> ShardSummary {
    try write(pending, jobs: jobs)
    let rows = keys.count
    let path = published.path
    try writing(path) { () throws(HDF5Error) in
      try file.writeIdentity(Layout.required[2], header, imageIndexes.map(Self.bytes))
      try file.writeIdentity(Layout.required[3], header, keys.map { Array($0.utf8) })
      try file.setAttributes(of: header)
      for column in optional { try column.finish() }
      let noted = original.map(\.largestError) ?? largestError
      try labels.setScoreAttributes(largestError: noted)
      if let original { try file.copyVendorAttributes(from: original) }
    }
    let summary = ShardSummary(rows: rows, largestError: largestError, scoreRange: scoreRange)
    var published = try closed()
    try check(published.temporaryPath)
    try published.publish()
    return summary
  }

  /// Closes datasets and file in this order, so that a full disk shows up here.
  private consuming func closed() throws(RelabelError) -> PublishedFile {
    let path = published.path
    do {
      try labels.close()
      try file.close()
    } catch {
      throw RelabelError(writing: error, path)
    }
    return published
  }

  private func write(_ images: [EncodedImage], jobs: Int) throws(RelabelError) {
    let labels = labels
    try writing(published.path) { () throws(HDF5Error) in try labels.append(images, jobs: jobs) }
  }

  private static func bytes(_ index: Int64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: index >> ($0 * 8)) }
  }
}

/// Runs `body`; a refusal of the HDF5 library becomes an error of writing `path`.
private func writing<Value: ~Copyable>(
  _ path: String,
  _ body: () throws(HDF5Error) -> Value
) throws(RelabelError) -> Value {
  do { return try body() } catch { throw RelabelError(writing: error, path) }
}

extension ChunkCodec {
  /// Rows joined to one chunk; what they leave free holds the fill value.
  func padded(_ rows: [[UInt8]], _ fill: [UInt8]) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(rawBytes)
    for row in rows { bytes += row }
    while bytes.count < rawBytes { bytes += fill }
    return bytes
  }
}

extension File {
  /// Makes an empty dataset of a new shard.
  func createColumn(
    _ column: Layout.Column,
    _ description: DatasetDescription
  ) throws(HDF5Error) -> Dataset {
    let dataset = try createDataset(column.name, description)
    try dataset.setAttribute("axes", column.axes)
    return dataset
  }

  /// Writes a dataset of one value for each row.
  fileprivate func writeIdentity(
    _ column: Layout.Column,
    _ header: ShardHeader,
    _ rows: [[UInt8]]
  ) throws(HDF5Error) {
    let description = header.description(of: column)
    let dataset = try createColumn(column, description)
    let codec = ChunkCodec(description)
    let perChunk = description.chunk[0]
    try dataset.grow(rows: rows.count, of: [0])
    for start in stride(from: 0, to: rows.count, by: perChunk) {
      let chunk = rows[start..<min(start + perChunk, rows.count)].map { row in
        row + [UInt8](repeating: 0, count: description.type.size - row.count)
      }
      let bytes = codec.padded(chunk, Layout.fillValue(description.type))
      try dataset.writeChunk(codec.encode(bytes), at: [start])
    }
  }
}
