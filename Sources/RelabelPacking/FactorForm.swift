import AnnotatorOutputs
public import Relabel

/// How maps of logits are kept as factors (spec, section 4.11).
public struct FactorSettings: Hashable, Sendable {
  /// The most factors of a map.
  public var count: Int = FactorEncoder.usualFactors
  /// What the rounding of one number may add to the divergence of targets, times 24: the lower, the nearer and the longer.
  public var quality: Double = FactorEncoder.usualQuality
  /// What the quality is settled by; nil where it is given.
  public var budget: FactorBudget?

  /// Makes the usual settings.
  public init() {}
}

extension BuildPlan {
  /// Refuses what does not go with factors.
  ///
  /// - Throws: `.usage` naming the option.
  static func checkFactors(
    _ options: PackOptions,
    _ traits: SourceTraits,
    _ kind: ScoreKind
  ) throws(RelabelError) {
    func refuse(_ isWrong: Bool, _ reason: String) throws(RelabelError) {
      if isWrong { throw RelabelError(.usage, "--maps factors: \(reason)") }
    }
    try refuse(kind != .logit, "factors add up to logits, and the scores are \(kind.rawValue)")
    try refuse(
      options.classesAre == .independent || traits.views != nil,
      "it is for maps of pictures whose classes exclude each other"
    )
    try refuse(options.centres, "leave --centre out, since no class is left out")
    let hasNormalizer = traits.columns.contains { $0.name == Layout.logNormalizer }
    try refuse(
      options.logNormalizer || hasNormalizer,
      "leave log_normalizer out, since no class is left out"
    )
    try refuse(options.topK != nil, "leave --top-k out, since all classes are kept")
    try refuse(
      options.encoding != nil || options.maximumError != nil,
      "leave --score-encoding and --max-error out: --quality says how near maps are"
    )
  }

  /// Turns the header of a shard of classes into that of one of factors.
  static func declareFactors(_ settings: FactorSettings, in header: inout ShardHeader) {
    let shape = header.shape
    header.shape = MapShape(
      height: shape.height,
      width: shape.width,
      topK: min(settings.count, header.numClasses, shape.cells)
    )
    header.encoding = FactorEncoder.amounts
    header.declareFactors(quality: settings.quality)
  }
}

/// What factors would lose of targets, beside what the cut to the best classes loses of the same crops.
public struct FactorAlternative: Hashable, Sendable {
  /// What the best classes lose.
  public fileprivate(set) var best: TargetError = TargetError()
  /// What factors of the usual quality would lose.
  public fileprivate(set) var factors: TargetError = TargetError()

  /// Adds what was weighed elsewhere.
  mutating func add(_ other: Self) {
    best.add(other.best)
    factors.add(other.factors)
  }
}

extension BuildPlan {
  /// The most cells of a grid whose factors are weighed unasked: its tables take the square of them.
  private static let mostCells = 400

  /// Factors of maps that are packed without; nil where they could not be had, or at a price.
  static func alternative(_ header: ShardHeader, _ options: PackOptions) -> FactorForm? {
    guard options.factors == nil, header.hasSoftmax, header.views == nil,
      header.shape.topK < header.numClasses, header.shape.cells <= mostCells
    else { return nil }
    var factors = header
    declareFactors(FactorSettings(), in: &factors)
    return try? FactorForm(factors, FactorSettings())
  }
}

/// Makes factors of what was loaded, and the rows of the two HDF5 datasets that they need beside the map.
struct FactorForm: Sendable {
  private var encoder: FactorEncoder
  private let measure: TargetMeasure

  /// - Throws: `.usage` for a grid of too many cells.
  init(_ header: ShardHeader, _ settings: FactorSettings) throws(RelabelError) {
    encoder = try FactorEncoder(
      height: header.shape.height,
      width: header.shape.width,
      numClasses: header.numClasses,
      factors: header.shape.topK,
      quality: settings.quality
    )
    measure = TargetMeasure(header)
  }

  /// The same at another quality.
  init(_ other: FactorForm, quality: Double) {
    self = other
    encoder.quality = quality
  }

  /// How far targets of an image are from those of all scores; nothing for one that is not measured.
  func error(of map: LabelMap, _ loaded: LoadedMap, imageIndex: Int64) -> TargetError {
    guard TargetMeasure.includes(imageIndex) else { return TargetError() }
    return measured(map, loaded, imageIndex: imageIndex)
  }

  /// The same of any image.
  func measured(_ map: LabelMap, _ loaded: LoadedMap, imageIndex: Int64) -> TargetError {
    guard let dense = loaded.dense else { return TargetError() }
    return measure.error(of: map, against: dense, imageIndex: imageIndex)
  }

  /// The map of factors of an image.
  ///
  /// - Throws: `.invalidInput` where the input has no scores of all classes, or maps of another grid.
  func map(_ loaded: LoadedMap) throws(RelabelError) -> LabelMap {
    guard let dense = loaded.dense else {
      throw RelabelError(
        .invalidInput,
        "the input holds the best classes only, and factors need the scores of all: pack it without"
          + " --maps factors"
      )
    }
    return try encoder.checked(dense)
  }

  /// What factors would lose of a map that is stored otherwise.
  ///
  /// - Throws: `.invalidInput` for a map of another grid.
  func weighed(
    _ stored: LabelMap,
    _ dense: DenseMap,
    imageIndex: Int64
  ) throws(RelabelError) -> FactorAlternative {
    var weighed = FactorAlternative()
    weighed.factors = measure.error(
      of: try encoder.checked(dense),
      against: dense,
      imageIndex: imageIndex
    )
    weighed.best = measure.error(of: stored, against: dense, imageIndex: imageIndex)
    return weighed
  }

  /// The rows of `class_factor` and `factor_scale`.
  static func rows(_ map: LabelMap) -> [String: [UInt8]] {
    guard let factors = map.factors else { return [:] }
    let scales = factors.scale.flatMap { scale in
      withUnsafeBytes(of: scale.bitPattern.littleEndian, Array.init)
    }
    return [Layout.classFactor: factors.numbers, Layout.factorScale: scales]
  }
}
