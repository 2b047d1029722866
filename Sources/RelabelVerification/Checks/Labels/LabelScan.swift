internal import Relabel

/// What does not change from map to map of a shard.
struct LabelScanPlan<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  let header: ShardHeader
  let kernel: CellKernel<Lane>
  let masses: CellMasses<Lane>
  let rules: CellRules
  /// The key of logit 0 where classes that are not stored count as 0, else nil.
  let zero: Lane?
  /// The source label of each row; empty where there are none to compare with.
  let labels: [Int32]

  init(_ header: ShardHeader, labels: [Int32]) {
    self.header = header
    self.labels = labels
    rules = header.cellRules(order: header.cellOrder)
    kernel = CellKernel(MapForm(header), rules)
    masses = CellMasses(keys: kernel.scores, topK: header.shape.topK)
    let hasZero = header.hasSoftmax && header.shape.topK < header.numClasses
    zero = hasZero ? kernel.scores.zero : nil
  }
}

/// Looks at maps one after another, with memory that is used again.
///
/// Serves one thread at a time.
final class LabelScan<Lane: FixedWidthInteger & SignedInteger & Sendable>: @unchecked Sendable {
  // Unchecked: with the one thread that took it from the pool.
  private let plan: LabelScanPlan<Lane>
  private let entries: Int
  private let cells: Int
  private let topK: Int
  private let ids: UnsafeMutablePointer<Lane>
  private let scores: UnsafeMutablePointer<Lane>
  /// Stored id and score of each cell's best entry.
  private let bestIDs: UnsafeMutablePointer<Lane>
  private let bestScores: UnsafeMutablePointer<Lane>
  private let floats: UnsafeMutablePointer<Float>
  private(set) var counts: LabelCounts
  private var hasSeenAll = false
  /// For maps of factors.
  private lazy var factorCells = FactorCells(numClasses: plan.header.numClasses, factors: topK)

  init(_ plan: LabelScanPlan<Lane>) {
    self.plan = plan
    let shape = plan.header.shape
    (entries, cells, topK) = (shape.entries, shape.cells, shape.topK)
    ids = .allocate(capacity: entries)
    scores = .allocate(capacity: entries)
    bestIDs = .allocate(capacity: cells)
    bestScores = .allocate(capacity: cells)
    floats = .allocate(capacity: entries)
    counts = LabelCounts(plan.header)
  }

  deinit {
    ids.deallocate()
    scores.deallocate()
    bestIDs.deallocate()
    bestScores.deallocate()
    floats.deallocate()
  }

  /// What one map is like.
  struct Outcome {
    var digest: UInt64
    /// Nil where the map may break a rule; the rest is then not known.
    var sound: Sound?

    struct Sound {
      /// Keys of the lowest and highest score.
      var range: (lowest: Lane, highest: Lane)
      var scoreMean: Double
      /// All cells hold the same entries, and there is more than one.
      var isUniform: Bool
    }
  }

  /// Looks at one map.
  ///
  /// - Parameters:
  ///   - idBytes: its decoded ids.
  ///   - scoreBytes: its decoded scores.
  ///   - row: its row in the shard.
  ///   - isTrusted: leaves the test of the rules out, for a map that is known to be sound.
  /// - Returns: what it is like.
  func scan(
    _ idBytes: UnsafeRawBufferPointer,
    _ scoreBytes: UnsafeRawBufferPointer,
    row: Int,
    isTrusted: Bool
  ) -> Outcome {
    var outcome = Outcome(digest: MapDigest.of(idBytes, scoreBytes))
    guard let idStart = idBytes.baseAddress, let scoreStart = scoreBytes.baseAddress else {
      return outcome
    }
    let isInRange = plan.kernel.read(idStart, scoreStart, into: ids, scores)
    let range = plan.kernel.range(scores)
    if !isTrusted {
      if !plan.header.hasFactors { countNeighbours(row: row) }
      guard isInRange, plan.kernel.isSound(ids, scores, range), hasSoundMasses() else {
        return outcome
      }
    }
    // Numbers of factors are no classes, and amounts of them no scores.
    if !plan.header.hasFactors {
      if plan.header.cellOrder != .score { findBest() }
      countClasses()
      countAgreement(row: row)
      judgeKinds(range)
      compareWithZero(range)
    }
    outcome.sound = Outcome.Sound(
      range: range,
      scoreMean: plan.kernel.scores.mean(scores, entries, floats),
      isUniform: cells > 1 && Self.isPeriodic(idBytes, cells) && Self.isPeriodic(scoreBytes, cells)
    )
    return outcome
  }

  /// Keys of each cell's best id, `step` apart: the first of a cell in score order.
  private var best: (ids: UnsafePointer<Lane>, step: Int) {
    plan.header.cellOrder == .score ? (UnsafePointer(ids), topK) : (UnsafePointer(bestIDs), 1)
  }

  private func findBest() {
    let isSorted = plan.header.cellOrder == .score
    for cell in 0..<cells {
      var best = cell &* topK
      if !isSorted {
        for entry in best..<best &+ topK where scores[entry] > scores[best] { best = entry }
      }
      bestIDs[cell] = ids[best] & Lane.max
      bestScores[cell] = scores[best]
    }
  }

  /// Looks at the first maps of a shard and at some of the others, which is enough for shares.
  private func countNeighbours(row: Int) {
    counts.neighbours.maps += 1
    guard Self.looksAt(row: row) else { return }
    findBest()
    counts.neighbours.pairs += cells - 1
    counts.neighbours.sameID += repeats(bestIDs)
    counts.neighbours.sameScore += repeats(bestScores)
  }

  /// Cells whose key is that of the one before.
  private func repeats(_ keys: UnsafePointer<Lane>) -> Int {
    CellRepeats.count(in: keys, cells, width: MemoryLayout<Lane>.size, distance: 1)
  }

  private func hasSoundMasses() -> Bool {
    switch plan.header.scoreKind {
    case .logit: true
    case .probability: largestMass(areLogarithms: false) <= plan.rules.largestSum(topK)
    case .logProbability:
      largestMass(areLogarithms: true)
        <= plan.rules.largestSum(topK) - CellMasses<Lane>.uncertainty
    }
  }

  private func largestMass(areLogarithms: Bool) -> Double {
    plan.masses.largest(scores, entries, areLogarithms: areLogarithms, floats)
  }

  private func countClasses() {
    guard counts.countsClasses else { return }
    let (ids, step) = best
    counts.best.withUnsafeMutableBufferPointer { best in
      guard let best = best.baseAddress else { return }
      // From four places in turn: cells side by side often have the same class, and each count
      // would wait for the one before.
      let quarter = cells / 4
      for cell in 0..<quarter {
        for part in 0..<4 { best[ClassKeys<Lane>.id(ids[(cell &+ part &* quarter) &* step])] &+= 1 }
      }
      for cell in quarter &* 4..<cells { best[ClassKeys<Lane>.id(ids[cell &* step])] &+= 1 }
    }
    if !hasSeenAll { markSeen() }
  }

  private func markSeen() {
    counts.seen.withUnsafeMutableBufferPointer { seen in
      guard let seen = seen.baseAddress else { return }
      for entry in 0..<entries {
        let id = ClassKeys<Lane>.id(ids[entry])
        seen[id &>> 6] |= 1 &<< UInt64(id & 63)
      }
    }
    // Looked up now and then, since it takes as long as a small map.
    if counts.neighbours.maps % 64 == 0 { hasSeenAll = counts.classesSeen == counts.best.count }
  }

  /// True for the rows that are looked at where a part is enough, since shares are judged: the first 64 and every eighth.
  static func looksAt(row: Int) -> Bool { row < 64 || row % 8 == 0 }

  /// Counts the best class of each cell of the map of factors scanned last, and whether the label of its row is one of them.
  ///
  /// - Parameters:
  ///   - row: the row.
  ///   - factors: what the factors of the row say of classes.
  /// - Complexity: O(cells · factors · classes).
  func countClasses(row: Int, _ factors: FactorTable) {
    for entry in 0..<entries { floats[entry] = plan.kernel.scores.value(scores[entry]) }
    let label = row < plan.labels.count ? Int(plan.labels[row]) : -1
    var own = 0
    factorCells.forEachBest(of: floats, cells: cells, factors) { _, best in
      if counts.countsClasses { counts.best[best] &+= 1 }
      if best == label { own += 1 }
    }
    if label != -1 { countAgreement(label: label, cells: own) }
  }

  private func countAgreement(row: Int) {
    guard row < plan.labels.count, plan.labels[row] != -1 else { return }
    let (ids, step) = best
    let label = Int(plan.labels[row])
    var own = 0
    for cell in 0..<cells where ClassKeys<Lane>.id(ids[cell &* step]) == label { own += 1 }
    countAgreement(label: label, cells: own)
  }

  /// Counts a map whose label leads `own` of its cells.
  private func countAgreement(label: Int, cells own: Int) {
    counts.labelled += 1
    if own > 0 { counts.agreeing += 1 }
    counts.ownShare.add(cells: own, of: cells)
    if label >= 0, label < counts.labels.count { counts.labels[label] += 1 }
  }

  /// Counts logits below that of classes that are not stored.
  private func compareWithZero(_ range: (lowest: Lane, highest: Lane)) {
    // A map of one score everywhere has a rule of its own.
    guard let zero = plan.zero, range.lowest != range.highest else { return }
    counts.zeroFit.entries += entries
    counts.zeroFit.cells += cells
    counts.zeroFit.lowest = min(counts.zeroFit.lowest, plan.kernel.scores.value(range.lowest))
    guard range.lowest < zero else { return }
    for entry in 0..<entries where scores[entry] < zero { counts.zeroFit.entriesBelow += 1 }
    for cell in 0..<cells {
      let best = plan.header.cellOrder == .score ? scores[cell &* topK] : bestScores[cell]
      if best < zero { counts.zeroFit.cellsBelow += 1 }
    }
  }

  /// Takes away the kinds that this map can't be of.
  private func judgeKinds(_ range: (lowest: Lane, highest: Lane)) {
    if range.lowest == range.highest { return }
    counts.judged += 1
    if counts.likelyKinds.isEmpty { return }
    let (lowest, highest) = (
      plan.kernel.scores.value(range.lowest), plan.kernel.scores.value(range.highest)
    )
    let slack = plan.header.encoding.slack
    let largestSum = plan.rules.largestSum(topK)
    if counts.likelyKinds.contains(.probability),
      lowest < 0 || Double(highest) > 1 + slack
    {
      counts.likelyKinds.remove(.probability)
    }
    if counts.likelyKinds.contains(.logProbability),
      Double(highest) > slack || largestMass(areLogarithms: true) > largestSum
    {
      counts.likelyKinds.remove(.logProbability)
    }
  }

  /// True when some bytes are a run of so many equal parts.
  private static func isPeriodic(_ bytes: UnsafeRawBufferPointer, _ parts: Int) -> Bool {
    let rest = bytes.count - bytes.count / parts
    return Memory.compare(bytes, UnsafeRawBufferPointer(rebasing: bytes.suffix(rest)), count: rest)
      == 0
  }
}

extension LabelCounts {
  /// Nothing counted so far of a shard's maps.
  init(_ header: ShardHeader) {
    self.init(
      numClasses: header.numClasses,
      likelyKinds: header.hasSoftmax && !header.hasFactors ? [.probability, .logProbability] : []
    )
    // With factors each class is in each cell.
    guard header.hasFactors, countsClasses else { return }
    for id in 0..<header.numClasses { seen[id >> 6] |= 1 << UInt64(id & 63) }
  }
}
