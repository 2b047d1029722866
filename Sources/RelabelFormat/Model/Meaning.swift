/// What a score is (spec, "Meaning").
public enum ScoreKind: String, Hashable, Sendable, CaseIterable {
  /// The classifier's output before softmax; a class outside the top-k counts as 0.
  case logit
  /// A softmax output in [0, 1].
  case probability
  /// The natural logarithm of a softmax output, at most 0.
  case logProbability = "log_probability"
}

/// Whether the classes of a cell exclude each other (spec, "Classes that don't exclude each other").
public enum ClassRelation: String, Hashable, Sendable, CaseIterable {
  /// Probabilities of a cell sum to at most 1, as after softmax.
  case exclusive
  /// Each class has a probability of its own, as after a sigmoid.
  case independent
}

/// What a class outside the top-k counts as (spec, "Meaning").
public enum Fill: String, Hashable, Sendable, CaseIterable {
  /// An absent class has logit 0, or probability 0.
  case zero
  /// The missing probability mass is shared equally by the absent classes.
  case uniform
}

extension ScoreKind {
  /// The fill that the packer declares: what the field's training code does with this kind.
  public var defaultFill: Fill { self == .logit ? .zero : .uniform }
}

/// Whether the grid's first axis runs down the picture (spec, "Orientation").
public enum Orientation: String, Hashable, Sendable, CaseIterable {
  /// First axis rows, second columns.
  case yx
  /// First axis columns, second rows.
  case xy
  /// The orientation is not known; this is so for the maps that the ReLabel paper released.
  case unknown
}

/// How the entries of a cell are ordered (spec, "Cell order").
public enum CellOrder: String, Hashable, Sendable, CaseIterable {
  /// Stored score descending, then class id ascending.
  case score
  /// Class id ascending.
  case `class`
  /// As the source of the labels has them; for views alone.
  case source
}

/// How rows follow one another in the dataset (spec, "Row order").
public enum RowOrder: Hashable, Sendable, CustomStringConvertible {
  /// A permutation of the source listing, made from the seed.
  case shuffled(seed: UInt64)
  /// As in the source listing.
  case source
  /// The views of an image together, images by their index; for views alone.
  case image
  /// By epoch, batch and slot; for views alone.
  case replay

  /// True for an order of views that the rows themselves must show (spec, section 4.10).
  package var isOfViews: Bool { self == .image || self == .replay }

  /// Reads `shuffled`, `shuffled:SEED`, `source`, `image` or `replay`.
  public init?(_ text: String) {
    if text == "source" {
      self = .source
    } else if text == "image" {
      self = .image
    } else if text == "replay" {
      self = .replay
    } else if text == "shuffled" {
      self = .shuffled(seed: 0)
    } else if text.hasPrefix("shuffled:"), let seed = UInt64(text.dropFirst("shuffled:".count)) {
      self = .shuffled(seed: seed)
    } else {
      return nil
    }
  }

  /// The text of the `row_order` attribute.
  public var description: String {
    switch self {
    case .shuffled(let seed): "shuffled:\(seed)"
    case .source: "source"
    case .image: "image"
    case .replay: "replay"
    }
  }
}
