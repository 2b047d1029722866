package import Relabel
internal import RelabelVerification
internal import Synchronization

/// Measures the maps of a dataset one by one; callable from several threads.
///
/// Maps of unknown orientation are pooled as if rows ran down the picture: no measure but `halves` depends on it.
package final class Measurer: Sendable {
  private let header: ShardHeader
  private let pooling: LabelPooling
  private let cells: CellReading
  /// Memory between two maps; each serves one thread at a time.
  private let idle = Mutex<[MeasureRoom]>([])

  /// Makes a measurer of maps as a header describes them.
  ///
  /// - Throws: `.usage` for classes that are too many to pool.
  package init(_ header: ShardHeader) throws(RelabelError) {
    self.header = header
    pooling = try LabelPooling(
      header,
      profile: header.orientation == .unknown ? .relabel : nil,
      outside: .clamp
    )
    cells = CellReading(header)
  }

  /// What a map says of its image.
  ///
  /// - Parameters:
  ///   - map: as a reader handed it out.
  ///   - label: the class that the source gives; nil, or one that the annotator does not have, for none.
  /// - Returns: its measures.
  /// - Throws: as `LabelPooling.target`.
  package func measure(_ map: LabelMap, label: Int32?) throws(RelabelError) -> ImageMeasures {
    let room = idle.withLock { $0.popLast() } ?? MeasureRoom(header, pooling)
    defer { idle.withLock { $0.append(room) } }
    let label = label.flatMap {
      $0 >= 0 && $0 < header.numClasses ? UInt32($0) : nil
    }
    let target = try TargetMeasures(map, label, room.pooler)
    let grid =
      if let factors = room.factors {
        GridMeasures(map, label, factors, &room.counts)
      } else {
        GridMeasures(map, label, cells, &room.counts)
      }
    var crops: SIMD8<UInt32>?
    if map.shape.cells > 1 {
      var best = SIMD8<UInt32>()
      for (place, box) in CropSet.boxes(in: map.extent).enumerated() {
        best[place] = try room.pooler.best(of: map, in: box)
      }
      crops = best
    }
    let isExclusive = header.classesAre == .exclusive
    return ImageMeasures(
      best: target.best.classIndex,
      probability: target.best.probability,
      second: target.second,
      entropy: target.entropy,
      missing: isExclusive ? target.missing : nil,
      cellEntropy: grid.entropy,
      cellMissing: isExclusive ? grid.missing : nil,
      trueCellMissing: nil,
      label: label.map {
        ImageMeasures.LabelMeasures(
          classIndex: $0,
          probability: target.ofLabel,
          lead: grid.lead,
          isSeen: grid.isLabelSeen
        )
      },
      crops: crops,
      halves: grid.halves,
      isConstant: grid.isConstant,
      digest: Self.digest(of: map)
    )
  }

  /// What all maps so far gave cell by cell.
  package var counts: CellCounts {
    var counts = CellCounts(header)
    for room in idle.withLock({ $0 }) { counts.merge(room.counts) }
    return counts
  }

  private static func digest(of map: LabelMap) -> UInt64 {
    let entries = map.classIndex.withUnsafeBytes { ids in
      map.score.withUnsafeBytes { MapDigest.of(ids, $0) }
    }
    guard let factors = map.factors else { return entries }
    let said = factors.numbers.withUnsafeBytes { numbers in
      factors.scale.withUnsafeBytes { MapDigest.of(numbers, $0) }
    }
    return [entries].withUnsafeBytes { one in
      [said].withUnsafeBytes { MapDigest.of(one, $0) }
    }
  }
}

/// Memory of one thread while it measures.
final class MeasureRoom: @unchecked Sendable {
  // Unchecked: whoever took it from the measurer's list has it alone.
  let pooler: CropPooler
  /// For maps of factors.
  let factors: FactorCells?
  var counts: CellCounts

  init(_ header: ShardHeader, _ pooling: LabelPooling) {
    pooler = CropPooler(pooling, header.shape)
    factors = header.hasFactors ? FactorCells(header) : nil
    counts = CellCounts(header)
  }
}

/// The target of all that a map covers, in figures.
private struct TargetMeasures {
  private(set) var best = ImageMeasures.Candidate(classIndex: .max, probability: -.infinity)
  private(set) var second: ImageMeasures.Candidate?
  let entropy: Float
  let missing: Float
  let ofLabel: Float

  init(_ map: LabelMap, _ label: UInt32?, _ pooler: CropPooler) throws(RelabelError) {
    var best = ImageMeasures.Candidate(classIndex: .max, probability: -.infinity)
    var second: ImageMeasures.Candidate?
    var ofLabel: Float?
    var entropy = Entropy()
    let others = try pooler.pool(map, in: map.extent) { id, probability in
      entropy.add(probability)
      if id == label { ofLabel = probability }
      let candidate = ImageMeasures.Candidate(classIndex: id, probability: probability)
      if candidate.isAhead(of: best) {
        second = best.classIndex == .max ? nil : best
        best = candidate
      } else if second.map(candidate.isAhead) ?? true {
        second = candidate
      }
    }
    // Factors leave no class out: rounding alone keeps the sum from 1.
    missing = map.factors == nil ? max(0, 1 - entropy.total) : 0
    entropy.add(others.probability, times: Float(others.count))
    (self.best, self.second, self.entropy) = (best, second, entropy.bits)
    self.ofLabel = ofLabel ?? others.probability
  }
}

extension ImageMeasures.Candidate {
  /// The order of candidates: by probability, ties by class.
  @inline(__always)
  fileprivate func isAhead(of other: Self) -> Bool {
    probability > other.probability
      || (probability == other.probability && classIndex < other.classIndex)
  }
}
