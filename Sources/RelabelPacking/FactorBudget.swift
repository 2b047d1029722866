import AnnotatorOutputs
import Relabel

/// What the quality of factors is settled by, before the first row is written.
public enum FactorBudget: Hashable, Sendable, CustomStringConvertible {
  /// Bytes of the dataset for each image, everything included.
  case bytes(Double)
  /// The mean divergence of targets of random crops from those of all scores, in nats.
  case divergence(Double)

  /// Reads `1300B` or `0.02KL`.
  public init?(_ text: String) {
    let isDivergence = text.hasSuffix("KL")
    guard isDivergence || text.hasSuffix("B"),
      let number = Double(text.dropLast(isDivergence ? 2 : 1)), number > 0, number.isFinite
    else { return nil }
    self = isDivergence ? .divergence(number) : .bytes(number)
  }

  /// As on the command line.
  public var description: String {
    let (number, unit) =
      switch self {
      case .bytes(let number): (number, "B")
      case .divergence(let number): (number, "KL")
      }
    return (number == number.rounded() && number < 1e15 ? "\(Int64(number))" : "\(number)") + unit
  }
}

extension BuildPlan {
  /// Settles the quality by a budget, from images that are the same for every number of jobs.
  ///
  /// - Parameters:
  ///   - options: the user's options.
  ///   - images: some that are looked at, in order.
  ///   - listing: all images, or nil when they arrive one by one.
  /// - Throws: the fault of the first bad image that may not be left out; `.usage` for a budget that can't be kept.
  mutating func settleBudget(
    _ options: PackOptions,
    _ images: [PendingImage],
    listing: PendingImages?
  ) throws(RelabelError) {
    guard let budget = options.factors?.budget else { return }
    let search = try BudgetSearch(self, options, images, total: listing?.count)
    try settle(quality: search.quality(for: budget), listing: listing)
  }

  /// The images of a listing that a budget is settled by: evenly spread, in their order.
  static func budgetSample(
    _ images: PendingImages,
    _ shape: MapShape,
    _ numClasses: Int
  ) throws(RelabelError) -> [PendingImage] {
    let count = min(images.count, BudgetSearch.images(shape, numClasses))
    return try images.images(at: (0..<count).map { $0 * images.count / count })
  }
}

/// Looks for the quality of factors that keeps a budget: each is tried on some images.
struct BudgetSearch {
  private let plan: BuildPlan
  private let images: [PendingImage]
  private let loaded: [LoadedMap]
  private let jobs: Int
  /// Images of the whole dataset; nil where nobody knows.
  private let total: Int?

  /// The most images that are looked at.
  static let mostImages = 64
  /// The fewest, however large their maps are.
  private static let fewestImages = 8
  /// About as many bytes of scores are held at once.
  static let mostBytes = 256 << 20

  /// How many images are looked at.
  static func images(_ shape: MapShape, _ numClasses: Int) -> Int {
    let bytes = shape.cells * numClasses * 4
    return max(fewestImages, min(mostImages, mostBytes / max(bytes, 1)))
  }

  init(
    _ plan: BuildPlan,
    _ options: PackOptions,
    _ given: [PendingImage],
    total: Int?
  ) throws(RelabelError) {
    let given = given.filter { options.exclusion($0) == nil }
      .prefix(Self.images(plan.header.shape, plan.header.numClasses))
    let results = Parallel.map(given.count, jobs: options.jobs) { place in
      Result { () throws(RelabelError) -> LoadedMap in
        let loaded = try given[place].load(wantsDense: true)
        // Says what is wrong with it.
        _ = try plan.factors?.map(loaded)
        return loaded
      }
    }
    var (images, maps): ([PendingImage], [LoadedMap]) = ([], [])
    for (image, result) in zip(given, results) {
      do throws(RelabelError) {
        maps.append(try result.get())
        images.append(image)
      } catch {
        let error = error.located(Location(file: image.source, key: image.key))
        guard options.skipsBadInput, error.isBadInput else { throw error }
      }
    }
    guard !images.isEmpty else {
      throw RelabelError(
        .invalidInput,
        "none of the images that would settle the budget can be packed"
      )
    }
    (self.plan, self.images, loaded) = (plan, images, maps)
    (jobs, self.total) = (options.jobs, total)
  }

  /// How many qualities are tried between one and half of it.
  private static let steps = 16
  /// The coarsest quality is a quarter, the finest 2⁻²⁷.
  private static let qualities = 25 * steps + 1

  /// A quality by its number, from coarse to fine; by exact arithmetic and the square root, which all machines compute alike.
  static func quality(_ number: Int) -> Double {
    var part = 1.0
    var root = 0.5
    // √½, its root, and so on.
    for bit in [8, 4, 2, 1] {
      root = root.squareRoot()
      if number % steps & bit != 0 { part *= root }
    }
    return part * Double(sign: .plus, exponent: -2 - number / steps, significand: 1)
  }

  /// The quality that keeps a budget: the finest within bytes, the coarsest within a divergence.
  ///
  /// - Throws: `.usage` where none does.
  func quality(for budget: FactorBudget) throws(RelabelError) -> Double {
    // From the end that keeps every budget that can be kept, towards the one that costs more than is wanted.
    let last = Self.qualities - 1
    let number: (Int) -> Int
    let cost: (Double) throws(RelabelError) -> Double
    let limit: Double
    switch budget {
    case .bytes(let bytes):
      (number, limit) = ({ $0 }, bytes)
      cost = { quality throws(RelabelError) in try self.bytes(quality) }
    case .divergence(let divergence):
      (number, limit) = ({ last - $0 }, divergence)
      cost = { quality throws(RelabelError) in try self.divergence(quality) }
    }
    let least = try cost(Self.quality(number(0)))
    guard least <= limit else { throw Self.refusal(budget, least) }
    var (kept, broken) = (0, last + 1)
    while broken - kept > 1 {
      let middle = (kept + broken) / 2
      if try cost(Self.quality(number(middle))) <= limit { kept = middle } else { broken = middle }
    }
    return Self.quality(number(kept))
  }

  private static func refusal(_ budget: FactorBudget, _ least: Double) -> RelabelError {
    let shown = (least * 10_000).rounded() / 10_000
    let what =
      switch budget {
      case .bytes: "the coarsest factors of these maps take \(shown) bytes an image"
      case .divergence: "the finest factors of these maps are \(shown) nats from all scores"
      }
    return RelabelError(.usage, "--maps factors:\(budget): the budget can't be kept: \(what)")
  }

  /// Bytes of the dataset for each image.
  private func bytes(_ quality: Double) throws(RelabelError) -> Double {
    var plan = plan
    plan.factors = plan.factors.map { FactorForm($0, quality: quality) }
    let encoder = ImageEncoder(plan, nil)
    let results = Parallel.map(images.count, jobs: jobs) { place in
      Result { () throws(RelabelError) in try encoder.encoded(images[place], loaded[place]).0 }
    }
    // In the order of rows: neighbours of a listing are often alike, and would share a chunk.
    var encoded: [EncodedImage] = []
    for place in RowPermutation.places(images.count, plan.header.rowOrder) {
      encoded.append(try results[place].get())
    }
    return SampleSize(encoded, plan, jobs: jobs).bytes(inDatasetOf: total)
  }

  /// The mean divergence of targets from those of all scores.
  private func divergence(_ quality: Double) throws(RelabelError) -> Double {
    guard let form = plan.factors.map({ FactorForm($0, quality: quality) }) else { return 0 }
    let results = Parallel.map(images.count, jobs: jobs) { place in
      Result { () throws(RelabelError) -> TargetError in
        let map = try form.map(loaded[place])
        return form.measured(map, loaded[place], imageIndex: images[place].imageIndex)
      }
    }
    var error = TargetError()
    for result in results { error.add(try result.get()) }
    return error.meanDivergence
  }
}
