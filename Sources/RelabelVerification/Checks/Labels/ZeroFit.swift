package import Relabel

/// How stored logits compare with 0, which is what classes count as that are not stored (rule V023).
package struct ZeroFit: Hashable, Sendable {
  /// Logits, and those of them below 0.
  package var (entries, entriesBelow) = (0, 0)
  /// Cells, and those of them whose best logit is below 0.
  package var (cells, cellsBelow) = (0, 0)
  /// The lowest logit.
  package var lowest: Float = .infinity

  /// Nothing looked at so far.
  package init() {}

  /// One map, whichever order its cells have.
  package init(_ map: LabelMap) {
    (entries, cells) = (map.shape.entries, map.shape.cells)
    let k = map.shape.topK
    for cell in 0..<cells {
      let scores = map.score[cell * k..<(cell + 1) * k]
      lowest = scores.reduce(lowest, min)
      entriesBelow += scores.count { $0 < 0 }
      if scores.allSatisfy({ $0 < 0 }) { cellsBelow += 1 }
    }
  }

  /// Adds what other maps are like.
  ///
  /// Wraps around: counts may come from a helper process that is not trusted.
  package mutating func merge(_ other: ZeroFit) {
    entries &+= other.entries
    entriesBelow &+= other.entriesBelow
    cells &+= other.cells
    cellsBelow &+= other.cellsBelow
    lowest = min(lowest, other.lowest)
  }

  /// Why 0 does not fit, as the end of a sentence's first half; nil where it does.
  ///
  /// Real top-5 logits of ImageNet lie between 0.09 and 61. A classifier trained with cross entropy has 16 % of
  /// the kept ones and no best one below 0, one trained with a sigmoid loss 81 % and 21 %.
  package var misfit: String? {
    if cells > 0,
      Double(cellsBelow) > 0.05 * Double(cells)
        || Double(entriesBelow) > 0.5 * Double(entries)
    {
      return "\(percent(entriesBelow, of: entries)) of the stored logits and the best one of "
        + "\(percent(cellsBelow, of: cells)) of the cells lie below 0, the logit of classes that are not "
        + "stored, which then outrank them: a sigmoid classifier, or logits that are not centred"
    }
    if cells > 0, lowest > Self.uncentred {
      return
        "even the lowest stored logit is \(lowest), far above 0, the logit of classes that are not stored: "
        + "the logits are probably not centred"
    }
    return nil
  }

  /// Above what the lowest of all stored logits shows that they are shifted.
  private static let uncentred: Float = 10

  private func percent(_ part: Int, of whole: Int) -> String {
    "\((Double(part) / Double(max(whole, 1)) * 100).rounded()) %".replacing(".0 %", with: " %")
  }
}
