internal import Relabel

// What makes the maps of a whole shard suspicious. The thresholds leave real maps far on the quiet
// side; `spec/rules.md` says what was measured.

extension LabelStatistics {
  /// Rules V014, V015, V017, V018 and V023; `neighbours` has one of its own.
  var warnings: [Violation] {
    [unseenClasses, dominatingClass, otherKind ?? otherZero, sourceLabels].compactMap(\.self)
  }

  /// V014: a class that no cell holds, among at least ten images for each class.
  private var unseenClasses: Violation? {
    let classes = counts.best.count
    guard counts.countsClasses, images / 10 >= classes, counts.classesSeen < classes,
      let first = counts.seen.firstIndex(where: { $0 != .max })
    else { return nil }
    let id = first * 64 + (~counts.seen[first]).trailingZeroBitCount
    let message =
      "\(classes - counts.classesSeen) of \(classes) classes are in no cell of any of \(images) "
      + "maps, the first is class \(id)"
    return Violation(.v014, message, at: Location(dataset: Layout.classIndex))
  }

  /// V015: a class that is best in more than half of all cells, among at least ten classes and
  /// fifty images.
  private var dominatingClass: Violation? {
    guard counts.best.count >= 10, images >= 50, let (id, share) = mostFrequentClass, share > 0.5
    else { return nil }
    let message = "class \(id) is the best class in \(percent(share)) of the cells"
    return Violation(.v015, message, at: Location(dataset: Layout.classIndex))
  }

  /// V017: logits that could all be probabilities, or logarithms of them, in at least ten maps.
  private var otherKind: Violation? {
    guard counts.judged >= 10 else { return nil }
    let place = Location(dataset: Layout.score)
    if counts.likelyKinds.contains(.probability) {
      let message =
        "scores are declared as logits, but all are from 0 to 1, as probabilities are after a softmax or "
        + "a sigmoid"
      return Violation(.v017, message, at: place)
    }
    if counts.likelyKinds.contains(.logProbability) {
      let message =
        "scores are declared as logits, but none is above 0 and their exponentials sum to at most "
        + "1 in every cell, as with log probabilities"
      return Violation(.v017, message, at: place)
    }
    return nil
  }

  /// V023: logits that 0, the logit of classes that are not stored, does not fit, in at least ten maps.
  private var otherZero: Violation? {
    guard counts.judged >= 10, let misfit = counts.zeroFit.misfit else { return nil }
    return Violation(.v023, misfit, at: Location(dataset: Layout.score))
  }

  /// True when too few of enough images agree with their labels for chance or a weak annotator (rule V018).
  package static func areMixedUp(labelled: Int, agreeing: Int) -> Bool {
    labelled >= 50 && agreeing < (labelled + 3) / 4
  }

  /// V018: fewer than a quarter of at least fifty labelled images have their label as the best
  /// class of some cell, or the label leads no more of its own map than of the others.
  private var sourceLabels: Violation? {
    guard Self.areMixedUp(labelled: counts.labelled, agreeing: counts.agreeing) else {
      return strangers
    }
    let message =
      "the class of the source, by source_label or by folder, is the best one of a cell in "
      + "\(counts.agreeing) of \(counts.labelled) images that have one"
    return Violation(.v018, message)
  }

  /// V018 where classes are few and cells many, so that most labels lead some cell of any map: the share of cells
  /// that they lead is compared with that in all maps, for at least 500 images.
  private var strangers: Violation? {
    let cells = counts.best.reduce(0.0) { $0 + Double($1) }
    guard counts.labelled >= 500, cells > 0 else { return nil }
    let images = Double(counts.labelled)
    // Of labels that are nearly all one class, own maps and all maps are the same.
    let others =
      1 - counts.labels.reduce(0.0) { $0 + (Double($1) / images) * (Double($1) / images) }
    guard others > 0.2 else { return nil }
    let unit = Double(LabelCounts.OwnShare.unit)
    let own = Double(counts.ownShare.sum) / unit / images
    let spread = max(0, Double(counts.ownShare.squares) / unit / images - own * own)
    let byChance =
      zip(counts.labels, counts.best).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      / images / cells
    // Shares are rounded to 65,536ths.
    guard own <= byChance + 1 / unit + 3 * (spread / images).squareRoot() else { return nil }
    let message =
      "the class of the source leads \(percent(own)) of the cells of its own map, and \(percent(byChance)) of "
      + "those of all maps: labels and maps have nothing to do with each other"
    return Violation(.v018, message)
  }

  /// The shards whose maps score otherwise than those of all (rule M011), and how.
  ///
  /// A shard of at least 30 images whose mean is more than 6 standard errors and more than half a
  /// standard deviation away; the deviation is that of maps within a shard. It only says something
  /// about shards with shuffled rows.
  package static func drift(_ shards: [LabelStatistics]) -> [(shard: Int, message: String)] {
    guard let first = shards.first else { return [] }
    let all = shards.dropFirst().reduce(into: first) { $0.merge($1) }
    let freedom = all.images - shards.count { $0.images > 0 }
    guard freedom > 0 else { return [] }
    let deviation = (shards.reduce(0) { $0 + $1.scoreSpread } / Double(freedom)).squareRoot()
    return shards.enumerated().compactMap { shard, statistics in
      let distance = (statistics.scoreMean - all.scoreMean).magnitude
      let error = deviation / Double(statistics.images).squareRoot()
      guard statistics.images >= 30, distance > 6 * error, distance > deviation / 2 else {
        return nil
      }
      let message =
        "the mean score is \(rounded(statistics.scoreMean)), that of all shards "
        + "\(rounded(all.scoreMean)), and maps of one shard deviate by \(rounded(deviation))"
      return (shard, message)
    }
  }
}

extension LabelCounts.Neighbours {
  /// V016: among at least 1,000 pairs, best ids repeat in fewer than 5 %, their scores in more
  /// than 30 %.
  var warning: Violation? {
    let (ids, scores) = (Double(sameID) / Double(pairs), Double(sameScore) / Double(pairs))
    guard pairs >= 1000, ids < 0.05, scores > 0.3 else { return nil }
    let message =
      "cells that follow each other share their best class in \(percent(ids)) of cases and its "
      + "score in \(percent(scores)): the planes seem to be exchanged"
    return Violation(.v016, message, at: Location(dataset: Layout.classIndex))
  }
}

private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

/// Three decimals are enough to compare means by eye.
private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
