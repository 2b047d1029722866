import AnnotatorOutputs
import Relabel

/// Brings images into their stored form, and looks at some of them on the way.
struct ImageEncoder: Sendable {
  private let codec: MapCodec
  private let keyBytes: Int
  private let centres: Bool
  private let factors: FactorForm?
  private let alternative: FactorForm?
  private let facts: ImageFacts
  private let sample: EffectSample?

  /// True where maps are kept as factors.
  var hasFactors: Bool { factors != nil }

  init(_ plan: BuildPlan, _ sample: EffectSample?) {
    codec = MapCodec(plan.header)
    keyBytes = plan.header.keyBytes
    centres = plan.centres
    factors = plan.factors
    alternative = plan.alternative
    facts = plan.facts
    self.sample = sample
  }

  /// One image in its stored form and what was seen of it, or why it can't be stored.
  ///
  /// Callable from any thread.
  func encoded(_ image: PendingImage) -> Result<(EncodedImage, ImageSight), RelabelError> {
    do throws(RelabelError) {
      guard image.key.utf8.count <= keyBytes else {
        throw RelabelError(
          .invalidInput,
          "the key has more than the \(keyBytes) bytes of this dataset; unpack the archive",
          at: Location(key: image.key)
        )
      }
      let wantsDense = sample?.wantsDense(image.imageIndex) ?? false
      let loaded = try image.load(wantsDense: wantsDense || factors != nil)
      guard loaded.isFromAllClasses || !centres else {
        throw RelabelError(
          .invalidInput,
          "the input holds the best classes only, so the mean of the others is not known: pack it without"
            + " --centre"
        )
      }
      return .success(try self.encoded(image, loaded))
    } catch {
      return .failure(error.located(Location(file: image.source, key: image.key)))
    }
  }

  /// An image that is loaded, in its stored form.
  ///
  /// - Throws: why it can't be stored.
  func encoded(
    _ image: PendingImage,
    _ loaded: LoadedMap
  ) throws(RelabelError) -> (EncodedImage, ImageSight) {
    let map = try factors?.map(loaded) ?? loaded.map
    let labelled = LabelledImage(key: image.key, imageIndex: image.imageIndex, map: map)
    var encoded = try codec.encode(labelled)
    let (values, label) = try facts.values(of: image, loaded, map)
    try facts.given.check(image, encoded, codec)
    encoded.optional = values
    return (encoded, try sight(of: loaded, encoded, label, map))
  }

  private func sight(
    of loaded: LoadedMap,
    _ encoded: EncodedImage,
    _ label: Int32,
    _ map: LabelMap
  ) throws(RelabelError) -> ImageSight {
    var sight = ImageSight()
    sight.agreement = LabelAgreement(loaded.map, label)
    if let factors {
      sight.targetError = factors.error(of: map, loaded, imageIndex: encoded.imageIndex)
      return sight
    }
    guard let sample else { return sight }
    if let effect = try sample.effect(loaded.map, encoded) {
      sight.effect = effect
      sight.looks = ScoreLooks(loaded.map)
    }
    guard let dense = loaded.dense else { return sight }
    sight.cut = try sample.cut(dense, encoded)
    if let alternative, sample.wantsDense(encoded.imageIndex) {
      let stored = codec.map(of: encoded)
      sight.alternative = try alternative.weighed(stored, dense, imageIndex: encoded.imageIndex)
    }
    return sight
  }
}

/// What was seen of images while they were packed.
struct ImageSight: Sendable {
  /// What storing did to the targets of those in the sample.
  fileprivate(set) var effect = TargetEffect()
  /// What the cut to k did to the targets of those in a smaller one, which were given whole.
  fileprivate(set) var cut = CutEffect()
  /// What factors would lose of those.
  fileprivate(set) var alternative = FactorAlternative()
  /// How far targets of factors are from those of all scores.
  fileprivate(set) var targetError = TargetError()
  /// What the scores of the sample look like.
  fileprivate(set) var looks = ScoreLooks()
  /// How maps and source labels agree.
  fileprivate(set) var agreement = LabelAgreement()

  init() {}

  /// What a shard says that was measured of its images.
  init(measured: TargetError?) { targetError = measured ?? TargetError() }

  /// Adds what was seen of other images.
  mutating func add(_ other: Self) {
    effect.add(other.effect)
    cut.add(other.cut)
    alternative.add(other.alternative)
    targetError.add(other.targetError)
    looks.add(other.looks)
    agreement.add(other.agreement)
  }
}
