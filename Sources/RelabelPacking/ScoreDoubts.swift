import Relabel

/// What the kept scores of a sample look like, and what of it does not fit the declared kind.
public struct ScoreLooks: Hashable, Sendable {
  /// Maps that were looked at.
  public private(set) var maps: Int = 0
  private var (lowest, highest) = (Float.infinity, -Float.infinity)
  private var (entries, entriesBelow, cells, cellsBelow) = (0, 0, 0, 0)

  /// Nothing looked at so far.
  init() {}

  /// One map.
  init(_ map: LabelMap) {
    maps = 1
    (entries, cells) = (map.shape.entries, map.shape.cells)
    let k = map.shape.topK
    for cell in 0..<cells {
      var best = -Float.infinity
      for score in map.score[cell * k..<(cell + 1) * k] {
        best = max(best, score)
        lowest = min(lowest, score)
        if score < 0 { entriesBelow += 1 }
      }
      highest = max(highest, best)
      if best < 0 { cellsBelow += 1 }
    }
  }

  /// Adds what other maps are like.
  mutating func add(_ other: Self) {
    maps += other.maps
    (lowest, highest) = (min(lowest, other.lowest), max(highest, other.highest))
    entries += other.entries
    entriesBelow += other.entriesBelow
    cells += other.cells
    cellsBelow += other.cellsBelow
  }

  /// Maps that must agree before a kind is doubted.
  private static let fewMaps = 10

  /// What does not fit scores of a kind, in sentences that say what to do.
  ///
  /// Real top-5 logits of ImageNet lie between 0.09 and 61; a classifier trained with cross entropy has
  /// 16 % of the kept ones and no best one below 0, one trained with a sigmoid loss 81 % and 21 %.
  func doubts(_ kind: ScoreKind) -> [String] {
    guard kind == .logit, maps >= Self.fewMaps, lowest < highest else { return [] }
    if lowest >= 0 && highest <= 1 {
      return [
        "all scores lie from 0 to 1, as after softmax or sigmoid, but are packed as logits: "
          + "targets will be almost uniform; give --score-kind probability, or pack logits"
      ]
    }
    if highest <= 0 {
      return [
        "no score is above 0, as with logarithms of probabilities, but they are packed as logits, "
          + "where absent classes count as 0 and outrank them; give --score-kind log-probability"
      ]
    }
    if cellsBelow * 20 > cells || entriesBelow * 2 > entries {
      return [
        "\(percent(entriesBelow, of: entries)) of the kept logits and the best one of "
          + "\(percent(cellsBelow, of: cells)) of the cells lie below 0, the logit of classes that are "
          + "not kept, which then outrank them: a sigmoid classifier, or logits that are not centred; "
          + "pack probabilities, or subtract each cell's mean first"
      ]
    }
    if lowest > Self.uncentred {
      return [
        "even the lowest kept logit is \(lowest), far above 0, the logit of classes that are not kept: "
          + "the logits are probably not centred; subtract each cell's mean over all classes first"
      ]
    }
    return []
  }

  /// Above what the lowest of all kept logits shows that they are shifted.
  private static let uncentred: Float = 10

  private func percent(_ part: Int, of whole: Int) -> String {
    "\((Double(part) / Double(max(whole, 1)) * 100).rounded()) %".replacing(".0 %", with: " %")
  }
}

extension CutEffect {
  /// What keeping k classes does that nobody may want, in sentences that say what to do.
  func doubts(_ header: ShardHeader) -> [String] {
    guard header.scoreKind == .logit, images > 0 else { return [] }
    if abs(meanScore) > Self.centred {
      let mean = (meanScore * 100).rounded() / 100
      return [
        "the logits are not centred: their mean over all classes is \(mean), but classes that are not "
          + "kept count as 0; subtract each cell's mean first"
      ]
    }
    return []
  }

  /// The largest distance from 0 of the mean logit that softmax classifiers show.
  private static let centred = 2.0
}
