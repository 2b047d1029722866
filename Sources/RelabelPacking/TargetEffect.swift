import Relabel

/// What storing does to training targets, measured on a sample of the images that are packed.
///
/// Each image is pooled over a few random crops twice, as it was given and as it is stored.
public struct TargetEffect: Hashable, Sendable {
  /// Images of the sample.
  public private(set) var images: Int = 0
  /// Crops in all.
  public private(set) var crops: Int = 0
  /// The largest change of any class probability.
  public private(set) var largestChange: Double = 0
  /// The mean over the crops of the largest change in each.
  public var meanChange: Double { crops == 0 ? 0 : totalChange / Double(crops) }
  /// Crops whose most probable class is another.
  public private(set) var topClassChanges: Int = 0
  /// Crops whose stored target gives each absent class more than the best stored one.
  public private(set) var outranked: Int = 0
  private var totalChange = 0.0

  /// Nothing measured so far.
  init() {}

  /// Pools crops of one image as it was given and as it is stored.
  fileprivate init(
    _ given: LabelMap,
    _ stored: LabelMap,
    _ pooling: LabelPooling,
    seed: UInt64
  ) throws(RelabelError) {
    images = 1
    var random = SplitMix64(state: seed)
    for _ in 0..<EffectSample.cropsPerImage {
      let crop = CropBox.random(&random)
      note(try pooling.target(of: given, in: crop), try pooling.target(of: stored, in: crop))
    }
  }

  private mutating func note(_ given: PooledTarget, _ stored: PooledTarget) {
    // Both hold the same classes: storing changes no id.
    let changes = zip(given.probability, stored.probability).map { Double(abs($0 - $1)) }
    let change = max(changes.max() ?? 0, Double(abs(given.rest - stored.rest)))
    crops += 1
    largestChange = max(largestChange, change)
    totalChange += change
    if stored.rest > stored.probability.max() ?? 0 { outranked += 1 }
    if given.top(1).first?.classIndex != stored.top(1).first?.classIndex { topClassChanges += 1 }
  }

  /// Adds what other images gave.
  mutating func add(_ other: Self) {
    images += other.images
    crops += other.crops
    largestChange = max(largestChange, other.largestChange)
    totalChange += other.totalChange
    topClassChanges += other.topClassChanges
    outranked += other.outranked
  }
}

/// The images that the `TargetEffect` of a dataset is measured on: some from all over the listing.
struct EffectSample: Sendable {
  private let pooling: LabelPooling
  private let codec: MapCodec
  private let scoreKind: ScoreKind
  private let stride: Int64
  private let denseStride: Int64

  /// The most images that are looked at.
  private static let images: Int64 = 256
  static let cropsPerImage = 4
  /// The most images whose scores of all classes are pooled, too: few, since those of an archive are kept for it.
  private static let denseImages: Int64 = 16
  /// With more classes the targets of the sample would take longer than packing it.
  private static let maximumClasses = 100_000

  /// The sample of a dataset.
  ///
  /// Nil for more classes than targets are usually made of.
  /// - Parameters:
  ///   - header: of the shards.
  ///   - count: the images of the dataset; nil where they are not known, then the first are taken.
  /// - Throws: as `LabelPooling`.
  init?(_ header: ShardHeader, of count: Int?) throws(RelabelError) {
    guard header.numClasses <= Self.maximumClasses else { return nil }
    // Which way the grid lies changes no error, but a profile has to be named for unknown maps.
    pooling = try LabelPooling(header, profile: .relabel)
    codec = MapCodec(header)
    scoreKind = header.scoreKind
    stride = max(1, (Int64(count ?? 0) + Self.images - 1) / Self.images)
    denseStride = max(1, (Int64(count ?? 0) + Self.denseImages - 1) / Self.denseImages)
  }

  /// True for an image of the sample.
  func contains(_ imageIndex: Int64) -> Bool {
    imageIndex >= 0 && imageIndex % stride == 0 && imageIndex / stride < Self.images
  }

  /// What storing does to an image; nil for one that is not in the sample.
  func effect(
    _ given: LabelMap,
    _ encoded: EncodedImage
  ) throws(RelabelError) -> TargetEffect? {
    guard contains(encoded.imageIndex) else { return nil }
    return try TargetEffect(
      given,
      codec.map(of: encoded),
      pooling,
      seed: UInt64(encoded.imageIndex)
    )
  }

  /// True for an image whose scores of all classes are pooled, too.
  func wantsDense(_ imageIndex: Int64) -> Bool {
    imageIndex >= 0 && imageIndex % denseStride == 0 && imageIndex / denseStride < Self.denseImages
  }

  /// What the cut to k does to an image whose scores of all classes were given.
  func cut(_ dense: DenseMap, _ encoded: EncodedImage) throws(RelabelError) -> CutEffect {
    let seed = UInt64(max(encoded.imageIndex, 0))
    return try CutEffect(dense, codec.map(of: encoded), scoreKind, pooling, seed: seed)
  }
}

extension CropBox {
  /// A crop as RandomResizedCrop draws it from a square picture: 8 to 100 % of the area, sides at
  /// most as 4 to 3.
  static func random(_ random: inout SplitMix64) -> CropBox {
    for _ in 0..<10 {
      let area = 0.08 + 0.92 * random.nextFraction()
      let ratio = Mathematics.exp(Mathematics.log(4.0 / 3) * (2 * random.nextFraction() - 1))
      let (height, width) = ((area / ratio).squareRoot(), (area * ratio).squareRoot())
      guard height <= 1, width <= 1 else { continue }
      return CropBox(
        top: random.nextFraction() * (1 - height),
        left: random.nextFraction() * (1 - width),
        height: height,
        width: width
      )
    }
    return .whole
  }
}

extension SplitMix64 {
  /// The next number, 0 ..< 1.
  fileprivate mutating func nextFraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}
