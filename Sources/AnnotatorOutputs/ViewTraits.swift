public import Relabel

/// What a source of views settles for all of them (spec, section 4.10).
public struct ViewTraits: Hashable, Sendable {
  /// Size, type of boxes and width of operations.
  public var facts: ViewFacts
  /// How the rows come: `image`, `replay` or `source`.
  public var rowOrder: RowOrder
  /// How entries of a cell stand; nil leaves it to the options.
  public var cellOrder: CellOrder?
  /// The encoding that loses nothing of the source's scores; nil leaves it to the options.
  public var encoding: ScoreEncoding.Name?
  /// The temperature that probabilities were made at; nil leaves it to the options.
  public var temperature: Double?
  /// Rows that are mostly read together: those of an image or of a batch.
  public var rowsTogether: Int?
  /// The member `views` of the metadata document.
  public var document: JSON

  /// Makes traits.
  public init(facts: ViewFacts, rowOrder: RowOrder, document: JSON) {
    (self.facts, self.rowOrder, self.document) = (facts, rowOrder, document)
  }
}
