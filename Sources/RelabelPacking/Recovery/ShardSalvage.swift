import Relabel
import RelabelVerification

/// Reads all of a damaged shard and says of every row whether it can be saved.
///
/// Memory is bounded by a few chunks of each dataset.
struct ShardSalvage {
  private let path: String
  private let without: Set<String>
  private let jobs: Int

  /// Rows of one fact.
  private static let rowsPerFact = 1024

  /// - Throws: `.internalFault` for an invalid request.
  init(_ request: JSON) throws(RelabelError) {
    guard let path = request["path"]?.string, let without = request["without"]?.array,
      let jobs = request["jobs"]?.integer
    else { throw RelabelError(.internalFault, "this is no request") }
    self.path = path
    self.without = Set(without.compactMap(\.string))
    self.jobs = Int(jobs)
  }

  /// The request to survey a shard.
  static func request(_ path: String, without: Set<String>, jobs: Int) -> JSON {
    .object([
      "path": .string(path),
      "without": .array(without.sorted().map(JSON.string)),
      "jobs": .integer(Int64(jobs)),
    ])
  }

  /// Sends the shard's facts, then its rows in order.
  ///
  /// - Throws: why nothing of the shard can be read.
  func run(_ send: ShardTask.Send) throws(RelabelError) {
    let shard = try SalvagedFile(path)
    var facts = shard.facts
    for name in without { facts.removeDataset(name) }
    try send(.object(["facts": facts.json]))
    let file = shard.file
    var rows = RowReader(shard, without: without)
    let run = file.chunksAtOnce
    for first in stride(from: 0, to: file.classIndex.chunks, by: run) {
      let chunks = first..<min(first + run, file.classIndex.chunks)
      let faults = mapFaults(chunks, of: file)
      let firstRow = first * file.classIndex.rowsPerChunk
      for start in stride(from: 0, to: faults.count, by: Self.rowsPerFact) {
        var found = SurveyedRows(first: firstRow + start)
        for place in start..<min(start + Self.rowsPerFact, faults.count) {
          rows.read(firstRow + place, mapFault: faults[place], into: &found)
        }
        try send(.object(["rows": found.json]))
      }
    }
  }

  /// The fault of each row's labels.
  private func mapFaults(_ chunks: Range<Int>, of file: ShardFile) -> [RowFault?] {
    let inspection = CellInspection(file.header)
    return Parallel.map(chunks.count, jobs: jobs) { place -> [RowFault?] in
      let chunk = chunks.lowerBound + place
      let rows = file.rows(ofChunk: chunk).count
      return switch file.labels(ofChunk: chunk) {
      case .failure(let fault): [RowFault?](repeating: fault, count: rows)
      case .success(let labels):
        (0..<rows).map { row in
          inspection.firstFault(
            labels.classIndex(ofRow: row),
            labels.score(ofRow: row),
            of: .all
          ).map { RowFault(.map, $1.rule, $1.summary, cell: $0.place) }
        }
      }
    }.flatMap(\.self)
  }
}

/// Reads what a row has beside its labels.
private struct RowReader {
  private var keys: RowCursor
  private var imageIndexes: RowCursor
  private var values: [(check: ValueCheck, cursor: RowCursor?)]
  private var scores: RowCursor
  private var views: SurveyedView.Reader?
  private let codec: MapCodec
  private let header: ShardHeader

  init(_ shard: SalvagedFile, without: Set<String>) {
    header = shard.file.header
    codec = MapCodec(header)
    scores = RowCursor(shard.file.score)
    views = SurveyedView.Reader(shard.file)
    let header = header
    keys = RowCursor(shard.file.imageKey)
    imageIndexes = RowCursor(shard.file.imageIndex)
    values = shard.optional.filter { !without.contains($0.layout.name) }.map { layout, column in
      (ValueCheck(layout, header), column.map(RowCursor.init))
    }
  }

  mutating func read(_ row: Int, mapFault: RowFault?, into rows: inout SurveyedRows) {
    var faults = mapFault.map { [$0] } ?? []
    var (key, imageIndex): (String?, Int64?)
    do {
      key = try readKey(row)
    } catch {
      faults.append(error)
    }
    do {
      imageIndex = try readImageIndex(row)
    } catch {
      faults.append(error)
    }
    for place in values.indices {
      var cursor = values[place].cursor.take()
      let value = readValue(row, &cursor, values[place].check)
      values[place].cursor = cursor
      switch value {
      case .known: break
      case .unknown: rows.addUnknown(row, of: values[place].check.name)
      case .lost(let fault): faults.append(fault)
      }
    }
    rows.add(row, key, imageIndex, faults)
    if var reader = views.take() {
      rows.add(reader.view(row))
      views = reader
    }
  }

  private mutating func readKey(_ row: Int) throws(RowFault) -> String {
    switch keys.row(row) {
    case .failure(let damage): throw RowFault(.key, dataset: Layout.imageKey, damage)
    case .success(let bytes):
      guard let key = ShardFile.key(bytes) else {
        throw RowFault(.key, .v010, "its key is not valid UTF-8")
      }
      if let fault = ImageKey.fault(key) {
        throw RowFault(.key, .v010, "its key is not valid: \(fault)")
      }
      return key
    }
  }

  private mutating func readImageIndex(_ row: Int) throws(RowFault) -> Int64 {
    switch imageIndexes.row(row) {
    case .failure(let damage): throw RowFault(.imageIndex, dataset: Layout.imageIndex, damage)
    case .success(let bytes):
      let index = ShardFile.imageIndexes(Array(bytes))[0]
      if index < 0 { throw RowFault(.imageIndex, .v009, "its image index is negative") }
      return index
    }
  }

  /// Datasets whose lost values are saved as "not known"; of a view the fill would say that nothing was done.
  private static let mayBecomeUnknown = Layout.mayBeUnknown.subtracting(Layout.viewNames)

  private enum Value {
    case known
    case unknown
    case lost(RowFault)
  }

  private mutating func lowNormalizer(
    _ row: Int,
    _ bytes: ArraySlice<UInt8>,
    _ check: ValueCheck
  ) -> RowFault? {
    // Lost scores are a fault of the row already.
    guard check.name == Layout.logNormalizer, case .success(let stored) = scores.row(row),
      let found = OptionalValues.lowNormalizer(
        bytes,
        codec.score(stored),
        header.encoding,
        header.shape
      )
    else { return nil }
    return RowFault(.value, .v022, "its log_normalizer is below a score", cell: found.cell)
  }

  private mutating func readValue(_ row: Int, _ cursor: inout RowCursor?, _ check: ValueCheck)
    -> Value
  {
    let damage = ChunkDamage(description: "the header of the dataset can't be read")
    switch cursor?.row(row) ?? .failure(damage) {
    case .success(let bytes):
      guard let fault = check.fault(bytes) ?? lowNormalizer(row, bytes, check) else {
        return .known
      }
      return Self.mayBecomeUnknown.contains(check.name) ? .unknown : .lost(fault)
    case .failure(let damage):
      if Self.mayBecomeUnknown.contains(check.name) { return .unknown }
      return .lost(RowFault(.value, dataset: check.name, damage))
    }
  }
}
