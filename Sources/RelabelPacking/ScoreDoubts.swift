import Relabel
import RelabelVerification

/// What the kept scores of a sample look like, and what of it does not fit the declared kind.
public struct ScoreLooks: Hashable, Sendable {
  /// Maps that were looked at.
  public private(set) var maps: Int = 0
  private var zeroFit = ZeroFit()
  private var highest = -Float.infinity

  /// Nothing looked at so far.
  init() {}

  /// One map.
  init(_ map: LabelMap) {
    maps = 1
    zeroFit = ZeroFit(map)
    highest = map.score.reduce(highest, max)
  }

  /// Adds what other maps are like.
  mutating func add(_ other: Self) {
    maps += other.maps
    zeroFit.merge(other.zeroFit)
    highest = max(highest, other.highest)
  }

  /// Maps that must agree before a kind is doubted.
  private static let fewMaps = 10

  /// What does not fit scores of a kind, in sentences that say what to do.
  ///
  /// - Parameters:
  ///   - header: of the shards.
  ///   - effect: what the targets of the sample look like.
  /// - Returns: the sentences; none where nothing is doubted.
  func doubts(_ header: ShardHeader, _ effect: TargetEffect) -> [String] {
    guard header.scoreKind == .logit, maps >= Self.fewMaps, zeroFit.lowest < highest else {
      return []
    }
    if zeroFit.lowest >= 0 && highest <= 1 {
      return [
        "all scores lie from 0 to 1, as after softmax or sigmoid, but are packed as logits: "
          + "targets will be almost uniform; give --score-kind probability, or pack logits"
      ]
    }
    guard header.shape.topK < header.numClasses, header.hasSoftmax else { return [] }
    if highest <= 0 {
      return [
        "no score is above 0, as with logarithms of probabilities, but they are packed as logits, "
          + "where absent classes count as 0 and outrank them; give --score-kind log-probability"
      ]
    }
    if let misfit = zeroFit.misfit { return ["\(misfit); \(Self.mend)"] }
    // A single crop may be of nothing that the classes name.
    if effect.outranked * 100 > effect.crops {
      return [
        "in \(effect.outranked) of \(effect.crops) random crops the target gives every class that is not "
          + "stored more than the best one that is; \(Self.mend)"
      ]
    }
    return []
  }

  /// What to do about logits that 0 does not fit.
  static let mend =
    "pack the scores of all classes with --centre, or subtract from each cell the mean logit of the classes that "
    + "are not stored"
}

extension CutEffect {
  /// What keeping k classes does that nobody may want, in sentences that say what to do.
  func doubts(_ header: ShardHeader) -> [String] {
    guard header.hasSoftmax, meanDistance - meanCentredDistance > Self.gain else { return [] }
    func shown(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
    return [
      "classes that are not kept count as logit 0, and the mean of all logits is \(shown(meanScore)): with "
        + "--centre half of L1 would be \(shown(meanCentredDistance)) instead of \(shown(meanDistance))"
    ]
  }

  /// By how much centred targets have to be nearer to those of all classes.
  private static let gain = 0.01
}
