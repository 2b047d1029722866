internal import Relabel

/// Checks the labels of a shard cell by cell (rules V001–V007).
struct LabelCheck: Sendable {
  private let file: ShardFile
  private let codec: MapCodec
  private let rules: CellRules
  /// The bit pattern that the codec gives for a score that was never written, in any encoding.
  private static let unwrittenScore = Float.nan.bitPattern

  struct Outcome: Sendable {
    var tally = Tally()
    var scoreRange: ClosedRange<Float>?
  }

  init(_ file: ShardFile) {
    self.file = file
    codec = MapCodec(file.header)
    rules = file.header.cellRules(order: file.header.cellOrder)
  }

  /// All chunks, by several threads; findings come in row order at any number of jobs.
  func check(jobs: Int) -> Outcome {
    var outcome = Outcome()
    // Chunks in runs, so that results of a large shard don't pile up.
    let run = 1024
    for first in stride(from: 0, to: file.classIndex.chunks, by: run) {
      let count = min(run, file.classIndex.chunks - first)
      for part in Parallel.map(count, jobs: jobs, { check(chunk: first + $0) }) {
        outcome.tally.add(part.tally)
        outcome.scoreRange = Self.union(outcome.scoreRange, part.scoreRange)
      }
    }
    return outcome
  }

  private func check(chunk: Int) -> Outcome {
    var outcome = Outcome()
    let idBytes = ColumnCheck(Layout.classIndex, file.classIndex)
      .bytes(ofChunk: chunk, &outcome.tally)
    let scoreBytes = ColumnCheck(Layout.score, file.score).bytes(ofChunk: chunk, &outcome.tally)
    guard let idBytes, let scoreBytes else { return outcome }
    let ids = codec.classIndex(idBytes[...])
    let scores = codec.score(scoreBytes[...])
    let k = file.header.shape.topK
    let firstCell = chunk * file.classIndex.rowsPerChunk * file.header.shape.cells
    for cell in 0..<ids.count / k {
      let range = cell * k..<(cell + 1) * k
      let (ids, scores) = (ids.span.extracting(range), scores.span.extracting(range))
      if let dataset = unwritten(ids, scores) {
        report("V007", "the row was never written", cell: firstCell + cell, in: dataset, &outcome)
        continue
      }
      let faults = rules.faults(ids, scores)
      if !faults.isEmpty { report(faults, ids, scores, cell: firstCell + cell, &outcome) }
      for rank in scores.indices where scores[rank].isFinite {
        outcome.scoreRange = Self.union(outcome.scoreRange, scores[rank]...scores[rank])
      }
    }
    return outcome
  }

  /// The dataset in which the cell holds the fill value, if one does.
  private func unwritten(_ ids: Span<UInt32>, _ scores: Span<Float>) -> String? {
    let unwrittenID: UInt32 = file.header.numClasses <= 65_535 ? 0xFFFF : .max
    for rank in ids.indices {
      if ids[rank] == unwrittenID { return Layout.classIndex }
      if scores[rank].bitPattern == Self.unwrittenScore { return Layout.score }
    }
    return nil
  }

  private func report(
    _ faults: CellFaults,
    _ ids: Span<UInt32>,
    _ scores: Span<Float>,
    cell: Int,
    _ outcome: inout Outcome
  ) {
    let idList = ids.indices.map { String(ids[$0]) }.joined(separator: ", ")
    let scoreList = scores.indices.map { String(scores[$0]) }.joined(separator: ", ")
    let classes = file.header.numClasses
    let order = file.header.cellOrder.rawValue
    for (fault, rule, dataset, message) in [
      (
        CellFaults.classOutOfRange, "V001", Layout.classIndex,
        "class ids \(idList) are not all below \(classes)"
      ),
      (.duplicateClass, "V002", Layout.classIndex, "class ids \(idList) are not distinct"),
      (.notFinite, "V003", Layout.score, "scores \(scoreList) are not all finite"),
      (
        .outOfOrder, "V004", Layout.classIndex,
        "ids \(idList), scores \(scoreList) are not in '\(order)' order"
      ),
      (.probabilityRange, "V005", Layout.score, "scores \(scoreList) are no probabilities"),
      (.probabilitySum, "V006", Layout.score, "probabilities \(scoreList) sum to more than 1"),
    ] where faults.contains(fault) {
      report(rule, message, cell: cell, in: dataset, &outcome)
    }
  }

  private func report(
    _ rule: String,
    _ message: String,
    cell: Int,
    in dataset: String,
    _ outcome: inout Outcome
  ) {
    let shape = file.header.shape
    let (row, inMap) = cell.quotientAndRemainder(dividingBy: shape.cells)
    let place = Location.Cell(y: inMap / shape.width, x: inMap % shape.width)
    let location = Location(dataset: dataset, row: row, cell: place)
    outcome.tally.add(Violation(rule, message, at: location))
  }

  private static func union(
    _ a: ClosedRange<Float>?,
    _ b: ClosedRange<Float>?
  ) -> ClosedRange<Float>? {
    guard let a, let b else { return a ?? b }
    return min(a.lowerBound, b.lowerBound)...max(a.upperBound, b.upperBound)
  }
}
