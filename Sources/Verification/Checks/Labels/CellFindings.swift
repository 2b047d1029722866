internal import Relabel

/// Says which rules the cells of a map break, and where (rules V001–V007).
struct CellFindings: Sendable {
  private let header: ShardHeader
  private let codec: MapCodec
  private let rules: CellRules
  private let unwrittenID: UInt32
  /// The bit pattern that the codec gives for a score that was never written, in any encoding.
  private static let unwrittenScore = Float.nan.bitPattern

  init(_ header: ShardHeader, _ rules: CellRules) {
    self.header = header
    self.rules = rules
    codec = MapCodec(header)
    unwrittenID = header.classIndexType == .uint32 ? .max : 0xFFFF
  }

  /// Findings of one map, and the range of its finite scores.
  struct Outcome {
    var isSound = true
    var scoreRange: ClosedRange<Float>?
  }

  /// Adds what is wrong with a map to the tally: for each rule the first cell, and how many more.
  func check(
    _ idBytes: ArraySlice<UInt8>,
    _ scoreBytes: ArraySlice<UInt8>,
    row: Int,
    _ tally: inout Tally
  ) -> Outcome {
    var outcome = Outcome()
    var faults = RowFaults()
    let ids = codec.classIndex(idBytes)
    let scores = codec.score(scoreBytes)
    let k = header.shape.topK
    for cell in 0..<header.shape.cells {
      let range = cell * k..<(cell + 1) * k
      let (ids, scores) = (ids.span.extracting(range), scores.span.extracting(range))
      if let dataset = unwritten(ids, scores) {
        faults.add(.v007, dataset, cell: cell) { "the row was never written" }
        continue
      }
      add(rules.faults(ids, scores), ids, scores, cell: cell, to: &faults)
      for rank in scores.indices where scores[rank].isFinite {
        outcome.scoreRange = .union(outcome.scoreRange, scores[rank]...scores[rank])
      }
    }
    for fault in faults.list { tally.add(violation(fault, row: row), count: fault.count) }
    outcome.isSound = faults.list.isEmpty
    return outcome
  }

  /// The dataset in which the cell holds the fill value, if one does.
  private func unwritten(_ ids: Span<UInt32>, _ scores: Span<Float>) -> String? {
    for rank in ids.indices {
      if ids[rank] == unwrittenID { return Layout.classIndex }
      if scores[rank].bitPattern == Self.unwrittenScore { return Layout.score }
    }
    return nil
  }

  private func add(
    _ faults: CellFaults,
    _ ids: Span<UInt32>,
    _ scores: Span<Float>,
    cell: Int,
    to row: inout RowFaults
  ) {
    if faults.isEmpty { return }
    let (classIndex, score) = (Layout.classIndex, Layout.score)
    if faults.contains(.classOutOfRange) {
      row.add(.v001, classIndex, cell: cell) {
        "class ids \(Self.list(ids)) are not all below \(header.numClasses)"
      }
    }
    if faults.contains(.duplicateClass) {
      row.add(.v002, classIndex, cell: cell) { "class ids \(Self.list(ids)) are not distinct" }
    }
    if faults.contains(.notFinite) {
      row.add(.v003, score, cell: cell) { "scores \(Self.list(scores)) are not all finite" }
    }
    if faults.contains(.outOfOrder) {
      row.add(.v004, classIndex, cell: cell) {
        "ids \(Self.list(ids)), scores \(Self.list(scores)) are not in "
          + "'\(header.cellOrder.rawValue)' order"
      }
    }
    if faults.contains(.probabilityRange) {
      row.add(.v005, score, cell: cell) { "scores \(Self.list(scores)) are no probabilities" }
    }
    if faults.contains(.probabilitySum) {
      row.add(.v006, score, cell: cell) { "probabilities \(Self.list(scores)) sum to more than 1" }
    }
  }

  private static func list<Value>(_ values: Span<Value>) -> String {
    values.indices.map { "\(values[$0])" }.joined(separator: ", ")
  }

  private func violation(_ fault: RowFaults.Fault, row: Int) -> Violation {
    let (y, x) = fault.cell.quotientAndRemainder(dividingBy: header.shape.width)
    let place = Location(dataset: fault.dataset, row: row, cell: Location.Cell(y: y, x: x))
    return Violation(fault.rule, fault.message, at: place)
  }
}

/// The broken rules of one map, in the order in which they were met.
private struct RowFaults {
  struct Fault {
    let rule: Rule
    let dataset: String
    let cell: Int
    let message: String
    var count = 1
  }

  private(set) var list: [Fault] = []

  mutating func add(_ rule: Rule, _ dataset: String, cell: Int, _ message: () -> String) {
    if let place = list.firstIndex(where: { $0.rule == rule && $0.dataset == dataset }) {
      list[place].count += 1
    } else {
      list.append(Fault(rule: rule, dataset: dataset, cell: cell, message: message()))
    }
  }
}

extension ClosedRange<Float> {
  /// The least range that holds both.
  static func union(_ a: Self?, _ b: Self?) -> Self? {
    guard let a, let b else { return a ?? b }
    return Swift.min(a.lowerBound, b.lowerBound)...Swift.max(a.upperBound, b.upperBound)
  }
}
