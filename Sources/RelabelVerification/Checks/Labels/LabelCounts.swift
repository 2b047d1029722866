/// Counts over the maps of a shard; adding them up in any order gives the same.
package struct LabelCounts: Hashable, Sendable {
  /// Cells in which each class is best; empty where classes are too many to count.
  package var best: [UInt64]
  /// A bit for each class: 1 when it is in any cell at any rank.
  package var seen: [UInt64]
  /// Images with a source label, and those of them that have it as the best class of some cell.
  package var labelled: Int = 0
  package var agreeing: Int = 0
  /// How much of its own map each labelled image's class leads.
  package var ownShare = OwnShare()
  /// Images that each class is the source label of; empty where classes are too many to count.
  package var labels: [UInt64]
  /// How often cells that follow each other share the stored best id and its score.
  package var neighbours = Neighbours()
  /// The kinds that scores declared as logits could be as well.
  package var likelyKinds: LikelyKinds
  /// How logits compare with the 0 of classes that are not stored.
  package var zeroFit = ZeroFit()
  /// Maps that could say something against them: those whose scores differ.
  package var judged: Int = 0

  /// Pairs of cells that follow each other in a map, whether or not the map breaks a rule.
  package struct Neighbours: Hashable, Sendable {
    package var maps: Int = 0
    package var pairs: Int = 0
    package var sameID: Int = 0
    package var sameScore: Int = 0
  }

  /// The share of a map's cells in which the source label is best, summed over images in 65,536ths: whole numbers add up
  /// to the same in any order.
  package struct OwnShare: Hashable, Sendable {
    package var sum: Int = 0
    package var squares: Int = 0
    /// One.
    static let unit = 65_536

    mutating func add(cells: Int, of all: Int) {
      let share = cells &* Self.unit / all
      sum &+= share
      squares &+= share &* share / Self.unit
    }
  }

  /// Kinds that no map contradicts so far.
  package struct LikelyKinds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let probability = LikelyKinds(rawValue: 1)
    package static let logProbability = LikelyKinds(rawValue: 2)
  }

  /// The most classes that are counted one by one: 8 MB of counters for each thread.
  package static let mostClasses = 1 << 20

  /// Nothing counted so far.
  package init(numClasses: Int, likelyKinds: LikelyKinds) {
    let classes = numClasses <= Self.mostClasses ? numClasses : 0
    best = [UInt64](repeating: 0, count: classes)
    seen = [UInt64](repeating: 0, count: (classes + 63) / 64)
    labels = best
    self.likelyKinds = likelyKinds
  }

  /// False where classes are too many to count.
  package var countsClasses: Bool { !best.isEmpty }

  /// Classes that are in any cell.
  package var classesSeen: Int { seen.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Adds what another part of the maps gave.
  ///
  /// Wraps around: counts may come from a helper process that is not trusted.
  package mutating func merge(_ other: LabelCounts) {
    for id in 0..<min(best.count, other.best.count) { best[id] &+= other.best[id] }
    for word in 0..<min(seen.count, other.seen.count) { seen[word] |= other.seen[word] }
    labelled &+= other.labelled
    agreeing &+= other.agreeing
    ownShare.sum &+= other.ownShare.sum
    ownShare.squares &+= other.ownShare.squares
    for id in 0..<min(labels.count, other.labels.count) { labels[id] &+= other.labels[id] }
    neighbours.maps &+= other.neighbours.maps
    neighbours.pairs &+= other.neighbours.pairs
    neighbours.sameID &+= other.neighbours.sameID
    neighbours.sameScore &+= other.neighbours.sameScore
    likelyKinds.formIntersection(other.likelyKinds)
    zeroFit.merge(other.zeroFit)
    judged &+= other.judged
  }
}
