import Relabel

/// What keeping k classes of a cell does to training targets, measured on maps whose scores of all
/// classes were given.
///
/// Each is pooled over a few random crops twice: with the scores of all classes, and as it is stored.
public struct CutEffect: Hashable, Sendable {
  /// Images of the sample.
  public private(set) var images: Int = 0
  /// Crops in all.
  public private(set) var crops: Int = 0
  /// Crops whose most probable class is another.
  public private(set) var topClassChanges: Int = 0
  private var totalDistance = 0.0
  private var totalCentredDistance = 0.0
  private var totalScore = 0.0

  /// The mean over the crops of half the sum of all probabilities' changes, 0 to 1.
  public var meanDistance: Double { crops == 0 ? 0 : totalDistance / Double(crops) }
  /// `meanDistance` with each cell's logits less the mean of those that are left out; as it is for other scores.
  public var meanCentredDistance: Double { crops == 0 ? 0 : totalCentredDistance / Double(crops) }
  /// The share of crops whose most probable class is another.
  public var share: Double { crops == 0 ? 0 : Double(topClassChanges) / Double(crops) }
  /// The mean of all scores that were given, of all classes.
  public var meanScore: Double { images == 0 ? 0 : totalScore / Double(images) }

  /// Nothing measured so far.
  init() {}

  /// Pools random crops of the scores of all classes, and of the same map as it is stored.
  ///
  /// - Throws: as `LabelPooling`.
  init(
    _ dense: DenseMap,
    _ stored: LabelMap,
    _ kind: ScoreKind,
    _ pooling: LabelPooling,
    seed: UInt64
  ) throws(RelabelError) {
    images = 1
    totalScore = Double(dense.score.reduce(0.0) { $0 + Double($1) }) / Double(dense.score.count)
    var random = SplitMix64(state: seed)
    let boxes = (0..<EffectSample.cropsPerImage).map { _ in CropBox.random(&random) }
    let centred = kind == .logit ? stored.less(dense.absentMeans(stored)) : stored
    for (box, given) in zip(boxes, try pooling.targets(of: dense, in: boxes)) {
      let kept = try pooling.target(of: stored, in: box).dense()
      crops += 1
      totalDistance += Self.distance(given, kept)
      totalCentredDistance += Self.distance(
        given,
        try pooling.target(of: centred, in: box).dense()
      )
      if Self.best(given) != Self.best(kept) { topClassChanges += 1 }
    }
  }

  private static func distance(_ one: [Float], _ other: [Float]) -> Double {
    zip(one, other).reduce(0) { $0 + Double(abs($1.0 - $1.1)) } / 2
  }

  private static func best(_ target: [Float]) -> Int? {
    target.indices.max { target[$0] < target[$1] }
  }

  /// Adds what other images gave.
  mutating func add(_ other: Self) {
    images += other.images
    crops += other.crops
    topClassChanges += other.topClassChanges
    totalDistance += other.totalDistance
    totalCentredDistance += other.totalCentredDistance
    totalScore += other.totalScore
  }
}
