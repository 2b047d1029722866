import AnnotatorOutputs
import Relabel

/// Brings images into their stored form, and looks at some of them on the way.
struct ImageEncoder: Sendable {
  private let codec: MapCodec
  private let keyBytes: Int
  private let centres: Bool
  private let factors: FactorForm?
  private let facts: ImageFacts
  private let sample: EffectSample?

  init(_ plan: BuildPlan, _ sample: EffectSample?) {
    codec = MapCodec(plan.header)
    keyBytes = plan.header.keyBytes
    centres = plan.centres
    factors = plan.factors
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
      let map = try factors?.map(loaded) ?? loaded.map
      let labelled = LabelledImage(key: image.key, imageIndex: image.imageIndex, map: map)
      var encoded = try codec.encode(labelled)
      let (values, label) = try facts.values(of: image, loaded, map)
      try facts.given.check(image, encoded, codec)
      encoded.optional = values
      return .success((encoded, try sight(of: loaded, encoded, label, map)))
    } catch {
      return .failure(error.located(Location(file: image.source, key: image.key)))
    }
  }

  private func sight(
    of loaded: LoadedMap,
    _ encoded: EncodedImage,
    _ label: Int32,
    _ map: LabelMap
  ) throws(RelabelError) -> ImageSight {
    var sight = ImageSight()
    sight.agreement = LabelAgreement(loaded.map, label)
    guard let sample else { return sight }
    if factors != nil {
      guard sample.wantsDense(encoded.imageIndex), let dense = loaded.dense else { return sight }
      sight.cut = try sample.cut(dense, map, imageIndex: encoded.imageIndex)
      return sight
    }
    if let effect = try sample.effect(loaded.map, encoded) {
      sight.effect = effect
      sight.looks = ScoreLooks(loaded.map)
    }
    if let dense = loaded.dense { sight.cut = try sample.cut(dense, encoded) }
    return sight
  }
}

/// What was seen of images while they were packed.
struct ImageSight: Sendable {
  /// What storing did to the targets of those in the sample.
  fileprivate(set) var effect = TargetEffect()
  /// What the cut to k did to the targets of those in a smaller one, which were given whole.
  fileprivate(set) var cut = CutEffect()
  /// What the scores of the sample look like.
  fileprivate(set) var looks = ScoreLooks()
  /// How maps and source labels agree.
  fileprivate(set) var agreement = LabelAgreement()

  /// Adds what was seen of other images.
  mutating func add(_ other: Self) {
    effect.add(other.effect)
    cut.add(other.cut)
    looks.add(other.looks)
    agreement.add(other.agreement)
  }
}
