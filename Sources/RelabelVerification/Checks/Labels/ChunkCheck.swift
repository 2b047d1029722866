internal import Relabel
internal import Synchronization

/// Checks the maps of one chunk after another; callable from several threads.
final class ChunkCheck<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  private let file: ShardFile
  private let plan: LabelScanPlan<Lane>
  private let cells: CellFindings
  /// The ids of a row of factors, and the scales of all rows.
  private let factorIDs: [UInt8]
  private let scales: [Float]
  /// Scans between two chunks; each serves one thread at a time.
  private let idle = Mutex<[LabelScan<Lane>]>([])

  init(_ file: ShardFile, _ plan: LabelScanPlan<Lane>) {
    self.file = file
    self.plan = plan
    cells = CellFindings(file.header)
    factorIDs = file.header.hasFactors ? Self.factorIDs(file) : []
    scales = FactorLabels.scales(file)
  }

  /// What a chunk adds to the outcome.
  struct Part: Sendable {
    let firstRow: Int
    var tally = Tally()
    var scoreRange: ClosedRange<Float>?
    /// Digest of each map, and the mean score of those that are sound.
    var maps: [(digest: UInt64, mean: Double?)] = []

    /// Adds the part; parts come in row order.
    func add(to outcome: inout LabelCheck.Outcome) {
      outcome.tally.add(tally)
      outcome.scoreRange = .union(outcome.scoreRange, scoreRange)
      for (place, map) in maps.enumerated() {
        outcome.mapDigests[firstRow + place] = map.digest
        if let mean = map.mean { outcome.statistics.add(mean: mean) }
      }
    }
  }

  /// Decodes a chunk and looks at its maps.
  func check(_ chunk: Int) -> Part {
    var part = Part(firstRow: chunk * file.classIndex.rowsPerChunk)
    let ids = ColumnCheck(Layout.classIndex, file.classIndex).bytes(ofChunk: chunk, &part.tally)
    let scores = ColumnCheck(Layout.score, file.score).bytes(ofChunk: chunk, &part.tally)
    guard let ids, let scores else { return part }
    let scan = idle.withLock { $0.popLast() } ?? LabelScan(plan)
    check(ids, scores, scan, &part)
    idle.withLock { $0.append(scan) }
    return part
  }

  /// Adds what all scans have counted.
  func addCounts(to counts: inout LabelCounts) {
    for scan in idle.withLock({ $0 }) { counts.merge(scan.counts) }
  }

  private func check(
    _ ids: ArraySlice<UInt8>,
    _ scores: ArraySlice<UInt8>,
    _ scan: LabelScan<Lane>,
    _ part: inout Part
  ) {
    let (idBytes, scoreBytes) = (file.classIndex.rowBytes, file.score.rowBytes)
    let maps = ids.count / idBytes
    let factors = factors(of: part.firstRow..<part.firstRow + maps)
    part.maps.reserveCapacity(maps)
    for map in 0..<maps {
      let row = part.firstRow + map
      let ids = ids[map * idBytes..<(map + 1) * idBytes]
      let scores = scores[map * scoreBytes..<(map + 1) * scoreBytes]
      var outcome = Self.scan(ids, scores, scan, row: row, isTrusted: false)
      if outcome.sound == nil {
        let exact = cells.check(ids, scores, row: row, &part.tally)
        part.scoreRange = .union(part.scoreRange, exact.scoreRange)
        if exact.isSound { outcome = Self.scan(ids, scores, scan, row: row, isTrusted: true) }
      }
      if let sound = outcome.sound { add(sound, row: row, to: &part) }
      if outcome.sound != nil, !factorIDs.isEmpty {
        checkNumbers(ids, row: row, &part.tally)
        if LabelScan<Lane>.looksAt(row: row) {
          factors?.withRow(map, row: row) { scan.countClasses(row: row, $0) }
        }
      }
      part.maps.append((outcome.digest, outcome.sound?.scoreMean))
    }
  }

  /// What factors say of classes in a chunk's rows; nil where none of these is looked at.
  private func factors(of rows: Range<Int>) -> FactorLabels? {
    guard rows.contains(where: LabelScan<Lane>.looksAt) else { return nil }
    let chunk = rows.lowerBound / file.classIndex.rowsPerChunk
    return FactorLabels(file, chunk: chunk, scales: scales)
  }

  private func checkNumbers(_ ids: ArraySlice<UInt8>, row: Int, _ tally: inout Tally) {
    guard ids != factorIDs[...] else { return }
    let message =
      "the ids of a cell are not 0, 1, … \(file.header.shape.topK - 1): they number factors"
    tally.add(Violation(.v033, message, at: Location(dataset: Layout.classIndex, row: row)))
  }

  /// What `class_index` has in each row of a shard of factors.
  private static func factorIDs(_ file: ShardFile) -> [UInt8] {
    let (shape, size) = (file.header.shape, file.header.classIndexType.size)
    return (0..<shape.entries).flatMap { entry in
      (0..<size).map { UInt8(truncatingIfNeeded: (entry % shape.topK) >> (8 * $0)) }
    }
  }

  private static func scan(
    _ ids: ArraySlice<UInt8>,
    _ scores: ArraySlice<UInt8>,
    _ scan: LabelScan<Lane>,
    row: Int,
    isTrusted: Bool
  ) -> LabelScan<Lane>.Outcome {
    ids.withUnsafeBytes { ids in
      scores.withUnsafeBytes { scan.scan(ids, $0, row: row, isTrusted: isTrusted) }
    }
  }

  private func add(_ sound: LabelScan<Lane>.Outcome.Sound, row: Int, to part: inout Part) {
    let lowest = plan.kernel.scores.value(sound.range.lowest)
    part.scoreRange = .union(
      part.scoreRange,
      lowest...plan.kernel.scores.value(sound.range.highest)
    )
    let shape = file.header.shape
    if sound.isUniform {
      let message = "all \(shape.cells) cells of the map hold the same entries"
      let place = Location(dataset: Layout.classIndex, row: row)
      part.tally.add(Violation(.v011, message, at: place))
    }
    if shape.entries > 1, sound.range.lowest == sound.range.highest {
      let message = "every score of the map is \(lowest)"
      part.tally.add(Violation(.v012, message, at: Location(dataset: Layout.score, row: row)))
    }
  }
}
