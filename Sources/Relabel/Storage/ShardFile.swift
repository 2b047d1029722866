/// An open shard whose header has been checked against the spec.
///
/// The reader takes the first violation as its error, the verifier collects them all.
package final class ShardFile: Sendable {
  package let path: String
  /// Where the file is, whatever folder the program changes to.
  private let place: String
  let stamp: FileStamp
  package let header: ShardHeader
  package let rows: Int
  package let classIndex: StoredColumn
  package let score: StoredColumn
  package let imageIndex: StoredColumn
  package let imageKey: StoredColumn
  /// Datasets that format 1.0 knows but does not require.
  package let optional: [(name: String, column: StoredColumn)]
  /// Extents of single images, where the shard has them.
  package let mapExtent: StoredColumn?
  /// What factors say of classes, and what their numbers are worth; nil where ids are classes.
  package let classFactor: StoredColumn?
  package let factorScale: StoredColumn?
  /// The largest error that the writer noted, if it did.
  package let largestError: Double?
  /// How far targets are from those of all scores, where the writer measured it of factors.
  package let targetError: TargetError?
  /// Ids that follow from the header.
  private let allClassIDs: AllClassIDs?
  /// True where ids are those of all classes in class order, and never read.
  var hasAllClassIDs: Bool { allClassIDs != nil }

  /// Opens a shard: its descriptions, header and the places of its chunks are in its structure.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - structure: what a walk over the file has found, for a caller that has dealt with it. Without, one
  ///     is made, and what it finds is reported.
  ///   - given: where chunks are read from; nil for the file at `path`.
  ///   - isMapped: chunks are read from a mapping of the file into memory.
  ///   - other: what the file says, where somebody else has read it.
  ///   - store: where the chunks come from that the structure does not place.
  ///   - report: called for every rule that the descriptions, the header or the layout breaks.
  /// - Returns: nil when a violation makes the rest unreadable, and without `store` for any violation.
  /// - Throws: what the system refuses.
  package static func open(
    _ path: String,
    structure: StructureWalk.Findings? = nil,
    bytes given: (any ByteSource)? = nil,
    isMapped: Bool = false,
    contents other: FileContents? = nil,
    store: ChunkFinder? = nil,
    report: (Violation) -> Void
  ) throws(RelabelError) -> ShardFile? {
    // Before anything is read: a file that is replaced while it is opened must not pass as it.
    guard let stamp = FileStamp(path) else { throw .system("can't be opened", path) }
    let bytes: any ByteSource
    if let given {
      bytes = given
    } else {
      bytes = isMapped ? try MappedBytes(path) : try FileBytes(path)
    }
    let found: StructureWalk.Findings
    if let structure {
      found = structure
    } else {
      found = try StructureWalk.findings(bytes)
      if !found.isSound {
        for violation in found.violations { report(violation) }
        return nil
      }
    }
    guard let contents = other ?? found.contents else { return nil }
    var isRefused = false
    let layout = withoutActuallyEscaping(report) { report in
      header(contents, fileBytes: bytes.byteCount) {
        isRefused = true
        report($0)
      }
    }
    guard let layout else { return nil }
    // Without another way to the chunks nobody goes on with a file that breaks a rule.
    if isRefused, store == nil { return nil }
    let chunks = found.isSound ? found.chunks : [:]
    return try ShardFile(path, stamp, layout, contents) {
      (name, description) throws(RelabelError) in
      // Only then does a chunk's number in the index say which rows it holds.
      if description.hasWholeRows, let table = chunks[name] {
        return StoredColumn(bytes, table, description)
      }
      return try store?(name, description).map { StoredColumn($0, description) }
    }
  }

  /// Finds the chunks of a dataset in another way than by the structure.
  package typealias ChunkFinder = (_ dataset: String, DatasetDescription) throws(RelabelError)
    -> (any ChunkStore)?

  private static func header(
    _ contents: FileContents,
    fileBytes: UInt64,
    report: @escaping (Violation) -> Void
  ) -> (header: ShardHeader, rows: Int)? {
    let inspection = ContainerInspection(fileBytes: Int64(clamping: fileBytes), report: report)
    guard let descriptions = inspection.inspect(contents),
      let root = HeaderInspection(contents, report: report).inspect()
    else { return nil }
    return LayoutInspection(root: root, report: report).inspect(contents, descriptions)
  }

  private init(
    _ path: String,
    _ stamp: FileStamp,
    _ layout: (header: ShardHeader, rows: Int),
    _ contents: FileContents,
    column: (String, DatasetDescription) throws(RelabelError) -> StoredColumn?
  ) throws(RelabelError) {
    func required(_ name: String) throws(RelabelError) -> StoredColumn {
      guard let description = contents.datasets[name]?.description,
        let column = try column(name, description)
      else {
        let message = "the chunks of the dataset can't be found"
        throw RelabelError(.c001, message, at: Location(file: path, dataset: name))
      }
      return column
    }
    self.path = path
    place = Folder.absolute(path)
    self.stamp = stamp
    (header, rows) = layout
    classIndex = try required(Layout.classIndex)
    score = try required(Layout.score)
    allClassIDs = AllClassIDs(header, rowsPerChunk: classIndex.rowsPerChunk)
    imageIndex = try required(Layout.imageIndex)
    imageKey = try required(Layout.imageKey)
    var optional: [(name: String, column: StoredColumn)] = []
    for known in Layout.optional where contents.datasets[known.name] != nil {
      optional.append((known.name, try required(known.name)))
    }
    self.optional = optional
    mapExtent = optional.first { $0.name == Layout.mapExtent }?.column
    let hasFactors = header.hasFactors
    classFactor = hasFactors ? optional.first { $0.name == Layout.classFactor }?.column : nil
    factorScale = hasFactors ? optional.first { $0.name == Layout.factorScale }?.column : nil
    let noted = contents.datasets[Layout.score]?.object["largest_error"]?.value
    if case .floats(let values)? = noted { largestError = values.first } else { largestError = nil }
    let measured = contents.datasets[Layout.classFactor]?.object[Layout.targetError]?.value
    if case .floats(let values)? = measured, TargetError.fault(of: values, rows: rows) == nil {
      targetError = TargetError(components: values)
    } else {
      targetError = nil
    }
  }

  /// Refuses a file that is not the one that was opened: what is remembered of its structure
  /// would be read from other bytes.
  ///
  /// - Throws: `.corrupt` naming the file.
  func checkUnchanged() throws(RelabelError) {
    try stamp.check(place, named: path)
  }

  /// Refuses a file that was cut or overwritten in place; what is open is read on where another file
  /// has its name now.
  ///
  /// - Throws: `.corrupt` naming the file.
  func checkNotOverwritten() throws(RelabelError) {
    guard let found = FileStamp(place), stamp.isOverwritten(by: found) else { return }
    try stamp.check(place, named: path)
  }

  /// The decoded bytes of a chunk.
  ///
  /// - Throws: `.corrupt` naming the dataset and the first row that is lost.
  package func bytes(
    of column: StoredColumn,
    named name: String,
    _ chunk: Int
  ) throws(RelabelError) -> [UInt8] {
    try decoded(column.chunk(chunk), column, name, chunk)
  }

  /// The same in memory that is used again: valid until `room` is.
  func bytes(
    of column: StoredColumn,
    named name: String,
    _ chunk: Int,
    in room: ChunkRoom
  ) throws(RelabelError) -> UnsafeRawBufferPointer {
    try decoded(column.chunk(chunk, in: room), column, name, chunk)
  }

  /// The class ids and the scores of a chunk, valid until the rooms are used again.
  ///
  /// - Throws: as `bytes`.
  func labels(
    _ chunk: Int,
    in idRoom: ChunkRoom,
    _ scoreRoom: ChunkRoom
  ) throws(RelabelError) -> (ids: UnsafeRawBufferPointer, scores: UnsafeRawBufferPointer) {
    if let allClassIDs {
      let scores = try score.chunk(chunk, in: scoreRoom)
      return (allClassIDs.bytes, try decoded(scores, score, Layout.score, chunk))
    }
    let (ids, scores) = try classIndex.chunk(chunk, in: idRoom, with: score, in: scoreRoom)
    return (
      try decoded(ids, classIndex, Layout.classIndex, chunk),
      try decoded(scores, score, Layout.score, chunk)
    )
  }

  /// The bytes of a chunk, or its fault as an error.
  private func decoded<Bytes>(
    _ bytes: Result<Bytes, ChunkFault>,
    _ column: StoredColumn,
    _ name: String,
    _ chunk: Int
  ) throws(RelabelError) -> Bytes {
    switch bytes {
    case .success(let bytes): return bytes
    case .failure(let fault):
      let first = chunk * column.rowsPerChunk
      let last = min(first + column.rowsPerChunk, column.rows) - 1
      let lost = last > first ? "rows \(first) to \(last) are lost" : "row \(first) is lost"
      throw RelabelError(
        fault.rule,
        "\(fault); \(lost)",
        at: Location(file: path, dataset: name, row: first)
      )
    }
  }

  /// All datasets by name.
  package var columns: [(name: String, column: StoredColumn)] {
    [
      (Layout.classIndex, classIndex), (Layout.score, score),
      (Layout.imageIndex, imageIndex), (Layout.imageKey, imageKey),
    ] + optional
  }

  /// Image indexes from the bytes of a chunk.
  package static func imageIndexes(_ bytes: [UInt8]) -> [Int64] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 8).map {
        Int64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
      }
    }
  }

  /// Keys from the bytes of a chunk; nil for a key that is not valid UTF-8.
  package static func imageKeys(_ bytes: [UInt8], width: Int) -> [String?] {
    stride(from: 0, to: bytes.count, by: width).map { start in
      String(exactly: bytes[start..<start + width].unpadded)
    }
  }
}
