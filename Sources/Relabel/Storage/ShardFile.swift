internal import HDF5

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
  package var mapExtent: StoredColumn? { optional.first { $0.name == Layout.mapExtent }?.column }
  /// The largest error that the writer noted, if it did.
  package let largestError: Double?

  /// Opens a shard.
  ///
  /// The HDF5 library reads the descriptions and the header. A file whose structure is sound it then
  /// closes: it would hold half a megabyte for it and read one chunk at a time.
  /// - Parameters:
  ///   - path: the file.
  ///   - structure: what a walk over the file has found, for a caller that has dealt with it. Without, one
  ///     is made, what it finds is reported, and the library never sees a file that is not sound.
  ///   - given: where chunks are read from; nil for the file at `path`.
  ///   - isMapped: chunks are read from a mapping of the file into memory.
  ///   - skipped: optional datasets that are not looked at, for files in which they are damaged.
  ///   - report: called for every rule that the descriptions, the header or the layout breaks.
  /// - Returns: nil when a violation makes the rest unreadable.
  /// - Throws: what the HDF5 library or the system refuses.
  package static func open(
    _ path: String,
    structure: StructureWalk.Findings? = nil,
    bytes given: (any ByteSource)? = nil,
    isMapped: Bool = false,
    except skipped: Set<String> = [],
    report: (Violation) -> Void
  ) throws(RelabelError) -> ShardFile? {
    // Before the library looks: a file that is replaced while it is opened must not pass as it.
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
    do {
      return try withoutActuallyEscaping(report) { report throws(HDF5Error) -> ShardFile? in
        try open(path, stamp, bytes, found, except: skipped, report: report)
      }
    } catch {
      throw RelabelError(reading: error, path)
    }
  }

  private static func open(
    _ path: String,
    _ stamp: FileStamp,
    _ bytes: any ByteSource,
    _ structure: StructureWalk.Findings,
    except skipped: Set<String>,
    report: @escaping (Violation) -> Void
  ) throws(HDF5Error) -> ShardFile? {
    let file = try File.open(path)
    let inspection = ContainerInspection(
      fileBytes: Int64(clamping: bytes.byteCount),
      skipped: skipped,
      report: report
    )
    guard let descriptions = try inspection.inspect(file),
      let root = try HeaderInspection(file, report: report).inspect()
    else { return nil }
    let layout = LayoutInspection(root: root, report: report)
    guard let (header, rows) = try layout.inspect(file, descriptions) else { return nil }
    let chunks = structure.isSound ? structure.chunks : [:]
    return try ShardFile(path, stamp, file, header, rows, descriptions) { name, description in
      // Only then does a chunk's number in the index say which rows it holds.
      guard description.hasWholeRows else { return nil }
      return chunks[name].map { StoredColumn(bytes, $0, description) }
    }
  }

  private init(
    _ path: String,
    _ stamp: FileStamp,
    _ file: borrowing File,
    _ header: ShardHeader,
    _ rows: Int,
    _ descriptions: [String: DatasetDescription],
    located: (String, DatasetDescription) -> StoredColumn?
  ) throws(HDF5Error) {
    func column(_ name: String) throws(HDF5Error) -> StoredColumn? {
      guard let description = descriptions[name] else { return nil }
      if let column = located(name, description) { return column }
      return StoredColumn(try file.openDataset(name), description)
    }
    func required(_ name: String) throws(HDF5Error) -> StoredColumn {
      guard let column = try column(name) else {
        throw HDF5Error(call: "H5Dopen2", object: name, "the dataset is missing")
      }
      return column
    }
    self.path = path
    place = Folder.absolute(path)
    self.stamp = stamp
    self.header = header
    self.rows = rows
    classIndex = try required(Layout.classIndex)
    score = try required(Layout.score)
    imageIndex = try required(Layout.imageIndex)
    imageKey = try required(Layout.imageKey)
    var optional: [(name: String, column: StoredColumn)] = []
    for known in Layout.optional {
      if let column = try column(known.name) { optional.append((known.name, column)) }
    }
    self.optional = optional
    let noted = try file.openDataset(Layout.score).attribute("largest_error")?.value
    if case .floats(let values)? = noted { largestError = values.first } else { largestError = nil }
  }

  /// Refuses a file that is not the one that was opened: what the library remembers of its structure
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
  func bytes(
    of column: StoredColumn,
    named name: String,
    _ chunk: Int
  ) throws(RelabelError) -> [UInt8] {
    let result: Result<[UInt8], ChunkFault>
    do {
      result = try column.chunk(chunk)
    } catch {
      throw RelabelError(reading: error, path)
    }
    switch result {
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
