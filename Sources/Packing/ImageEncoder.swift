import AnnotatorOutputs
import Relabel

/// Brings images into their stored form, and looks at some of them on the way.
struct ImageEncoder: Sendable {
  private let codec: MapCodec
  private let keyBytes: Int
  private let facts: ImageFacts
  private let sample: EffectSample?

  init(_ plan: BuildPlan, _ sample: EffectSample?) {
    codec = MapCodec(plan.header)
    keyBytes = plan.header.keyBytes
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
      let map = try image.load()
      let labelled = LabelledImage(key: image.key, imageIndex: image.imageIndex, map: map)
      var encoded = try codec.encode(labelled)
      let (values, label) = try facts.values(of: image.key)
      encoded.optional = values
      return .success((encoded, try sight(of: image, map, encoded, label)))
    } catch {
      return .failure(error.located(Location(file: image.source, key: image.key)))
    }
  }

  private func sight(
    of image: PendingImage,
    _ map: LabelMap,
    _ encoded: EncodedImage,
    _ label: Int32
  ) throws(RelabelError) -> ImageSight {
    ImageSight(
      effect: try sample?.effect(map, encoded) ?? TargetEffect(),
      agreement: LabelAgreement(map, label)
    )
  }
}

/// What was seen of images while they were packed.
struct ImageSight: Sendable {
  /// What storing did to the targets of those in the sample.
  private(set) var effect = TargetEffect()
  /// How maps and source labels agree.
  private(set) var agreement = LabelAgreement()

  init() {}

  init(effect: TargetEffect, agreement: LabelAgreement) {
    (self.effect, self.agreement) = (effect, agreement)
  }

  /// Adds what was seen of other images.
  mutating func add(_ other: Self) {
    effect.add(other.effect)
    agreement.add(other.agreement)
  }
}
