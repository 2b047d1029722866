/// HDF5 datasets of shards whose rows are views: what an annotator saw of an image in one crop (spec, section 4.10).
extension Layout {
  package static let view = "view"
  package static let viewBox = "view_box"
  package static let viewFlip = "view_flip"
  package static let viewSeed = "view_seed"
  package static let replay = "replay"
  package static let mixupLambda = "mixup_lambda"
  package static let mixupPartner = "mixup_partner"
  package static let cutmixLambda = "cutmix_lambda"
  package static let cutmixBox = "cutmix_box"
  package static let cutmixPartner = "cutmix_partner"
  package static let operations = "operations"

  /// The most bytes of one row of `operations`.
  package static let maximumOperationsBytes = 65_535

  /// Datasets that a shard may have only with the feature `views`; it must have the first.
  package static let views: [Column] = [
    Column(view, axes: "image", [.int32], isShuffled: true),
    Column(viewBox, axes: "image box", [.float64], isShuffled: true),
    Column(viewFlip, axes: "image", [.uint8], isShuffled: false),
    Column(viewSeed, axes: "image", [.int64], isShuffled: true),
    Column(replay, axes: "image replay", [.int32], isShuffled: true),
    Column(mixupLambda, axes: "image", [.float64], isShuffled: true),
    Column(mixupPartner, axes: "image partner", [.int64], isShuffled: true),
    Column(cutmixLambda, axes: "image", [.float64], isShuffled: true),
    Column(cutmixBox, axes: "image edge", [.int32], isShuffled: true),
    Column(cutmixPartner, axes: "image partner", [.int64], isShuffled: true),
    Column(operations, axes: "image", [], isShuffled: false),
  ]

  /// The names of those.
  package static let viewNames: Set<String> = Set(views.map(\.name))
}

/// What a shard says of all its views (spec, section 4.10).
public struct ViewFacts: Hashable, Sendable {
  /// Height and width in pixels of a view.
  public struct Size: Hashable, Sendable {
    /// Rows of pixels.
    public let height: Int
    /// Columns of pixels.
    public let width: Int

    /// Makes a size; both sides are at least 1.
    public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
  }

  /// How the source of the labels stored the boxes, so that an export gives the same bytes.
  public enum BoxType: String, Hashable, Sendable, CaseIterable {
    /// Fractions of the picture as half floats.
    case float16
    /// Fractions of the picture as single floats.
    case float32
    /// Fractions of the picture as doubles.
    case float64
    /// Whole pixels of the picture, whose size stands in `image_size`.
    case pixels
  }

  /// What the annotator saw; nil where nobody says.
  public var size: Size?
  /// Nil where there are no boxes.
  public var boxType: BoxType?
  /// Bytes of a row of `operations`; 0 without the dataset.
  public var operationsBytes: Int

  /// Makes the facts.
  public init(size: Size? = nil, boxType: BoxType? = nil, operationsBytes: Int = 0) {
    (self.size, self.boxType, self.operationsBytes) = (size, boxType, operationsBytes)
  }
}
