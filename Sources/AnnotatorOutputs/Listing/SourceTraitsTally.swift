import Relabel

/// What images settle together, one after the other.
struct SourceTraitsTally {
  private let options: InputOptions
  private var kind: ScoreKind?
  private var classes: Int?
  private var (hasTorch, hasOther) = (false, false)

  init(_ options: InputOptions) { self.options = options }

  /// Adds an image; those that fail already settle nothing.
  ///
  /// - Throws: `.usage` when its scores are of another kind than those before.
  mutating func add(_ entry: Entry) throws(RelabelError) {
    if entry.isFailing { return }
    if entry.isTorch { hasTorch = true } else { hasOther = true }
    if classes == nil { classes = entry.denseClasses }
    // What a .pt file holds is only a convention that the user may overrule.
    guard let found = entry.isTorch ? options.scoreKind ?? .logit : entry.scoreKind else { return }
    if let kind, kind != found {
      throw RelabelError(
        .usage,
        "the inputs hold scores of the kinds '\(kind.rawValue)' and '\(found.rawValue)'; pack them"
          + " into datasets of their own"
      )
    }
    kind = found
  }

  /// What is settled by now.
  func traits() -> SourceTraits {
    SourceTraits(
      scoreKind: kind,
      numClasses: classes ?? (hasTorch ? ReLabelTensor.classes : nil),
      isReLabelDialect: hasTorch && !hasOther
    )
  }
}
