/// How far targets of random crops are from those of all scores, summed over crops, as a shard of factors states it (spec,
/// section 4.11).
///
/// Sums of shards add up to that of their dataset. Free of threads; adding is O(1).
public struct TargetError: Hashable, Sendable {
  /// Images that were measured.
  public private(set) var images: Int = 0
  /// Crops of them, in all.
  public private(set) var crops: Int = 0
  /// The divergences of all crops in nats, KL(all scores ‖ stored), added up.
  package private(set) var divergence = 0.0
  /// The half L1 distances of all crops, added up.
  package private(set) var distance = 0.0
  /// Crops whose most probable class is another.
  public private(set) var otherTop: Int = 0

  /// Nothing measured so far.
  public init() {}

  /// One image.
  package init(crops: Int, divergence: Double, distance: Double, otherTop: Int) {
    (images, self.crops, self.otherTop) = (1, crops, otherTop)
    (self.divergence, self.distance) = (divergence, distance)
  }

  /// The mean divergence of a crop in nats; 0 where nothing was measured.
  public var meanDivergence: Double { crops == 0 ? 0 : divergence / Double(crops) }
  /// The mean over crops of half the sum of all probabilities' changes, 0 to 1; 0 where nothing was measured.
  public var meanDistance: Double { crops == 0 ? 0 : distance / Double(crops) }
  /// The share of crops whose most probable class is another; 0 where nothing was measured.
  public var share: Double { crops == 0 ? 0 : Double(otherTop) / Double(crops) }

  /// What the shards of a dataset say together; nil where one of them says nothing.
  public init?(ofShards shards: [TargetError?]) {
    for shard in shards {
      guard let shard else { return nil }
      add(shard)
    }
  }

  /// Adds what was measured elsewhere.
  public mutating func add(_ other: Self) {
    images += other.images
    crops += other.crops
    divergence += other.divergence
    distance += other.distance
    otherTop += other.otherTop
  }

  /// The numbers of the attribute, in its order.
  package var components: [Double] {
    [Double(images), Double(crops), divergence, distance, Double(otherTop)]
  }

  /// How many numbers the attribute has.
  package static let count = 5

  /// What the attribute says.
  ///
  /// - Precondition: `fault(of:rows:)` finds none.
  package init(components: [Double]) {
    images = Int(components[0])
    crops = Int(components[1])
    (divergence, distance) = (components[2], components[3])
    otherTop = Int(components[4])
  }

  /// Why a shard of so many rows can't state these numbers; nil where it can.
  package static func fault(of components: [Double], rows: Int) -> String? {
    guard components.count == count, components.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      return "it is not \(count) finite numbers of at least 0"
    }
    let (images, crops, divergence) = (components[0], components[1], components[2])
    let (distance, otherTop) = (components[3], components[4])
    for number in [images, crops, otherTop] where number != number.rounded() || number > 0x1p53 {
      return "\(number) is no count"
    }
    if images > Double(rows) {
      return "\(Int(images)) images were measured of the \(rows) that there are"
    }
    if crops < images || crops > 0 && images == 0 {
      return "\(Int(crops)) crops are of \(Int(images)) images"
    }
    // Each is a sum of rounded probabilities.
    if distance > crops * (1 + 1e-9) { return "half L1 is \(distance) of \(Int(crops)) crops" }
    if otherTop > crops { return "\(Int(otherTop)) of \(Int(crops)) crops have another top class" }
    if crops == 0, divergence > 0 { return "no crop has a divergence of \(divergence)" }
    return nil
  }

  /// True where another computation of the same crops says the same: within a thousandth, and 10⁻⁶ a crop.
  package func agrees(with other: TargetError) -> Bool {
    func isNear(_ one: Double, _ two: Double) -> Bool {
      abs(one - two) <= max(one, two) * 1e-3 + Double(crops) * 1e-6
    }
    return images == other.images && crops == other.crops && isNear(divergence, other.divergence)
      && isNear(distance, other.distance)
      // Classes that are equal within rounding may change places.
      && Double(abs(otherTop - other.otherTop)) <= max(1, Double(crops) * 1e-3)
  }

  /// The figures for programs.
  package var json: JSON {
    .object([
      "images": .integer(Int64(images)),
      "crops": .integer(Int64(crops)),
      "mean_kl": .number(meanDivergence),
      "half_l1": .number(meanDistance),
      "other_top1": .number(share),
    ])
  }
}
