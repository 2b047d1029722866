import Relabel

/// What images settle together, one after the other.
struct SourceTraitsTally {
  private let options: InputOptions
  private var kind: ScoreKind?
  private var isConvention = true
  private var dialects: Set<String> = []
  private var evidence: [String] = []
  private var columns: [Layout.Column]?
  private var classes: Int?
  private var usualClasses: Int?
  private var (hasReLabel, hasOther) = (false, false)

  /// Lines of evidence that are kept.
  private static let maximumEvidence = 8

  init(_ options: InputOptions) { self.options = options }

  /// Adds an image; those that fail already settle nothing.
  ///
  /// - Throws: `.usage` when its scores are of another kind than those before.
  mutating func add(_ entry: Entry) throws(RelabelError) {
    guard case .map(let description, _) = entry.payload else { return }
    let traits = description.traits
    if traits.isReLabelDialect { hasReLabel = true } else { hasOther = true }
    if let dialect = traits.dialect { dialects.insert(dialect) }
    if let line = traits.evidence, !line.isEmpty, evidence.count < Self.maximumEvidence,
      !evidence.contains(line)
    {
      evidence.append(line)
    }
    if let columns, columns != traits.columns {
      throw RelabelError(
        .usage,
        "some inputs say the class of the source and others do not; pack them into datasets of their own"
      )
    }
    columns = traits.columns
    classes = classes ?? traits.denseClasses
    usualClasses = usualClasses ?? traits.usualClasses
    let overruling = traits.isConvention ? options.scoreKind : nil
    guard let found = overruling ?? traits.scoreKind else { return }
    if let kind, kind != found {
      throw RelabelError(
        .usage,
        "the inputs hold scores of the kinds '\(kind.rawValue)' and '\(found.rawValue)'; pack them"
          + " into datasets of their own"
      )
    }
    kind = found
    if !traits.isConvention { isConvention = false }
  }

  /// What is settled by now.
  func traits() -> SourceTraits {
    var traits = SourceTraits(
      scoreKind: kind,
      numClasses: classes ?? usualClasses,
      isReLabelDialect: hasReLabel && !hasOther,
      dialects: dialects.sorted(),
      isKindConvention: kind != nil && isConvention,
      areClassesConvention: classes == nil && usualClasses != nil
    )
    traits.evidence = evidence
    traits.columns = columns ?? []
    return traits
  }
}
