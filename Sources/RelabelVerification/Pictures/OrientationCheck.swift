internal import Relabel

/// Decides by boxes how the maps of a dataset lie, and compares with what it says (rule I005).
struct OrientationCheck {
  private let table: BoxTable
  private var evidence = OrientationEvidence()
  /// The boxes of the images that come next, in the order of their rows.
  private var waiting: [ArraySlice<BoxTable.Box>] = []
  private var next = 0
  private var indexes: [Int?]?

  init(_ table: BoxTable) { self.table = table }

  /// True when there are boxes on the picture of an image, whose map is then asked for.
  mutating func expects(_ key: String) -> Bool {
    let boxes = table.boxes(ofKey: key)
    if boxes.isEmpty || key.isEmpty { return false }
    waiting.append(boxes)
    return true
  }

  /// Adds the map of the next image that is expected.
  mutating func add(_ map: LabelMap, _ meaning: ShardMeaning) {
    let indexes = self.indexes ?? resolve(meaning)
    self.indexes = indexes
    let boxes = waiting[next].compactMap { box in
      indexes[Int(box.name)].map { (place: box.place, classIndex: $0) }
    }
    next += 1
    evidence.add(map, meaning.scoreKind, boxes)
  }

  /// Forgets images of the shard before whose maps did not come.
  mutating func beginShard() { (waiting, next) = ([], 0) }

  private func resolve(_ meaning: ShardMeaning) -> [Int?] {
    let names = ClassNames(meaning.classes, numClasses: meaning.numClasses)
    return table.classes.map(names.index)
  }

  /// Adds the measurement, and a finding where it contradicts the dataset.
  func finish(
    _ meaning: ShardMeaning,
    _ path: String,
    _ tally: inout Tally,
    _ report: inout Report
  ) {
    let unresolved = zip(table.classes, indexes ?? resolve(meaning)).filter { $0.1 == nil }
    if let (name, _) = unresolved.first {
      report.omissions.append(
        "\(path): boxes of \(unresolved.count) classes that the dataset does not have were passed "
          + "over, first: '\(name)'"
      )
    }
    let verdict = evidence.verdict
    report.measure(
      "orientation",
      [
        "path": .string(path),
        "table": .integer(Int64(table.count)),
        "boxes": .integer(Int64(evidence.boxes)),
        "informative": .integer(Int64(evidence.informative)),
        "yx_wins": .integer(Int64(evidence.winsYX)),
        "xy_wins": .integer(Int64(evidence.winsXY)),
        "ties": .integer(Int64(evidence.ties)),
        "yx_share": .number(mean(evidence.share.yx)),
        "xy_share": .number(mean(evidence.share.xy)),
        "confidence": .number(evidence.confidence),
        "verdict": .string(verdict == .unknown ? "undecided" : verdict.rawValue),
        "declared": .string(meaning.orientation.rawValue),
      ]
    )
    guard verdict != .unknown, verdict != meaning.orientation else { return }
    let declared =
      meaning.orientation == .unknown
      ? "the dataset does not say how" : "the dataset says \(meaning.orientation.rawValue)"
    let wins = max(evidence.winsYX, evidence.winsXY)
    let message =
      "in \(wins) of \(evidence.winsYX + evidence.winsXY) images the boxes say that maps lie "
      + "\(verdict.rawValue), and \(declared); pack again with --orientation \(verdict.rawValue)"
    tally.add(Violation(.i005, message))
  }

  private func mean(_ sum: Double) -> Double { sum / Double(max(evidence.informative, 1)) }
}
