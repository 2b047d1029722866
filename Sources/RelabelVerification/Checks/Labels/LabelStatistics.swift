package import Relabel

/// What the maps of a shard, or of several, look like as a whole.
///
/// Only maps that break no rule count, but for `neighbours`. Merging in any order gives the same
/// counts; means agree to rounding, so merge in the order of shards.
package struct LabelStatistics: Hashable, Sendable {
  /// Images whose maps count.
  package var images: Int = 0
  /// Mean of the maps' mean scores.
  package var scoreMean: Double = 0
  /// Sum of the squared differences of the maps' mean scores from `scoreMean`.
  package var scoreSpread: Double = 0
  /// What was counted.
  package var counts: LabelCounts

  package init(_ counts: LabelCounts) { self.counts = counts }

  /// Standard deviation of the maps' mean scores; 0 for fewer than two maps.
  package var scoreDeviation: Double {
    images > 1 ? (scoreSpread / Double(images - 1)).squareRoot() : 0
  }

  /// Adds the mean score of one more map.
  mutating func add(mean: Double) {
    images += 1
    let difference = mean - scoreMean
    scoreMean += difference / Double(images)
    scoreSpread += difference * (mean - scoreMean)
  }

  /// Adds the maps of another part (Chan, Golub and LeVeque, 1979).
  package mutating func merge(_ other: LabelStatistics) {
    counts.merge(other.counts)
    guard other.images > 0 else { return }
    let total = images &+ other.images
    let difference = other.scoreMean - scoreMean
    let share = Double(other.images) / Double(total)
    scoreMean += difference * share
    scoreSpread += other.scoreSpread + difference * difference * share * Double(images)
    images = total
  }

  /// The class that is best in most cells, and the share of those cells; the lowest of several.
  package var mostFrequentClass: (id: Int, share: Double)? {
    let cells = counts.best.reduce(0, &+)
    guard cells > 0, let most = counts.best.max(), let id = counts.best.firstIndex(of: most) else {
      return nil
    }
    return (id, Double(most) / Double(cells))
  }

  /// For reports: members are null where nothing was counted.
  package var json: JSON {
    let frequent = mostFrequentClass.map {
      JSON.object(["class": .integer(Int64($0.id)), "share": .number($0.share)])
    }
    let agreement =
      counts.labelled == 0
      ? nil
      : JSON.object([
        "images": .integer(Int64(counts.labelled)), "agree": .integer(Int64(counts.agreeing)),
      ])
    return .object([
      "images": .integer(Int64(images)),
      "score_mean": images > 0 ? .number(scoreMean) : .null,
      "score_std": images > 1 ? .number(scoreDeviation) : .null,
      "classes_seen": counts.countsClasses ? .integer(Int64(counts.classesSeen)) : .null,
      "most_frequent_class": frequent ?? .null,
      "source_label_agreement": agreement ?? .null,
    ])
  }
}
