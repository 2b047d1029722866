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
        if column.name == Layout.viewBox, let type = header.views?.boxType {
          try dataset.setAttribute(Layout.sourceType, type.rawValue)
        }
        if column.name == Layout.classFactor, let quality = header.factorQuality {
          try dataset.setAttribute(Layout.quality, quality)
        }
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
    _ = try append(images, jobs: jobs, besides: 0) { _ in }
  }

  /// Appends rows while the threads that compress them do other work, too.
  ///
  /// - Parameters:
  ///   - images: rows made by this shard's `MapCodec`.
  ///   - jobs: threads; the bytes do not depend on it.
  ///   - count: pieces of other work.
  ///   - work: does one of them.
  /// - Returns: what the other work gave, in order.
  /// - Throws: `.io`; the shard can't be finished then.
  package mutating func append<Other>(
    _ images: [EncodedImage],
    jobs: Int,
    besides count: Int,
    _ work: @Sendable (Int) -> Other
  ) throws(RelabelError) -> [Other] {
    try note(images)
    pending += images
    let whole = pending.count - pending.count % header.imagesPerChunk
    let others = try write(Array(pending[..<whole]), jobs: jobs, besides: count, work)
    pending.removeFirst(whole)
    return others
  }

  /// Takes everything of rows but their labels.
  private mutating func note(_ images: [EncodedImage]) throws(RelabelError) {
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
  }

  /// Writes the last chunk, the keys and the attributes, closes, checks and publishes the file.
  ///
  /// - Parameters:
  ///   - last: rows that are appended before.
  ///   - jobs: threads that compress.
  ///   - measured: how far targets of factors are from those of all scores; nil where nobody measured it.
  ///   - check: looks at the closed file under its temporary name before it is published.
  /// - Returns: what the shard holds.
  /// - Throws: `.io`, or what `check` throws; nothing is published then.
  public consuming func finish(
    appending last: [EncodedImage] = [],
    jobs: Int = 1,
    measured: TargetError? = nil,
    check: (_ temporaryPath: String) throws(RelabelError) -> Void = { _ in }
  ) throws(RelabelError) -> ShardSummary {
    try note(last)
    let rows = keys.count
    let path = published.path
    let identities = IdentityColumns(header, imageIndexes, keys)
    let chunks = try write(pending + last, jobs: jobs, besides: identities.chunks) {
      identities.encoded($0)
    }
    try writing(path) { () throws(HDF5Error) in
      try identities.write(chunks, to: file)
      try file.setAttributes(of: header)
      for column in optional { try column.finish() }
      let noted = original.map(\.largestError) ?? largestError
      try labels.setScoreAttributes(largestError: noted)
      // What was measured of rows that are lost says nothing of the others.
      let known = original.map { $0.rows == rows ? $0.targetError : nil } ?? measured
      if let known, header.hasFactors {
        try file.openDataset(Layout.classFactor)
          .setAttribute(Layout.targetError, doubles: known.components)
      }
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

  private func write<Other>(
    _ images: [EncodedImage],
    jobs: Int,
    besides count: Int,
    _ work: @Sendable (Int) -> Other
  ) throws(RelabelError) -> [Other] {
    let labels = labels
    return try writing(published.path) { () throws(HDF5Error) in
      try labels.append(images, jobs: jobs, besides: count, work)
    }
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
  package func padded(_ rows: [[UInt8]], _ fill: [UInt8]) -> [UInt8] {
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
}
