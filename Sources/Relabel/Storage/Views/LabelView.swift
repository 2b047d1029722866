/// What an annotator saw of an image in one crop, as a row of a shard of views says it (spec, section 4.10).
///
/// A reader gives views out, and a writer of datasets takes them.
public struct LabelView: Hashable, Sendable {
  /// The place of a view in the replay of a training.
  public struct Place: Hashable, Sendable {
    /// The epoch, from 0.
    public let epoch: Int
    /// The batch of the epoch.
    public let batch: Int
    /// The place in the batch.
    public let slot: Int

    /// Makes a place.
    public init(epoch: Int, batch: Int, slot: Int) {
      (self.epoch, self.batch, self.slot) = (epoch, batch, slot)
    }
  }

  /// The crop as fractions of the picture; it may leave the picture.
  public struct Box: Hashable, Sendable {
    /// Upper edge.
    public let top: Double
    /// Left edge.
    public let left: Double
    /// Above 0.
    public let height: Double
    /// Above 0.
    public let width: Double

    /// Makes a box.
    public init(top: Double, left: Double, height: Double, width: Double) {
      (self.top, self.left, self.height, self.width) = (top, left, height, width)
    }
  }

  /// The view that another is mixed with, as far as it is known.
  public struct Partner: Hashable, Sendable {
    /// Its image index.
    public let imageIndex: Int64?
    /// Its place in the same batch.
    public let slot: Int?

    /// Makes a partner; nil stands for what is not known.
    public init(imageIndex: Int64? = nil, slot: Int? = nil) {
      (self.imageIndex, self.slot) = (imageIndex, slot)
    }
  }

  /// A rectangle in pixels of the view, rows first; `bottom` and `right` lie outside.
  public struct PixelBox: Hashable, Sendable {
    /// First row.
    public let top: Int
    /// First column.
    public let left: Int
    /// The row behind the last.
    public let bottom: Int
    /// The column behind the last.
    public let right: Int

    /// Makes a rectangle.
    public init(top: Int, left: Int, bottom: Int, right: Int) {
      (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }
  }

  /// The number of the view within its image, from 0.
  public var number: Int
  /// The crop, where the source has it.
  public var box: Box?
  /// True where the crop was mirrored left-right; nil where nobody knows.
  public var isFlipped: Bool?
  /// The seed of the augmentation.
  public var seed: Int64?
  /// Nil for a view that is in no batch.
  public var replay: Place?
  /// The share of the view itself in a mix of pixels; nil where nothing is mixed.
  public var mixupShare: Double?
  /// The other view of that mix.
  public var mixupPartner: Partner?
  /// The share of the view itself as the source drew it; what is shown follows from the rectangle.
  public var cutmixShare: Double?
  /// The rectangle that shows the other view.
  public var cutmixBox: PixelBox?
  /// The other view of that mix.
  public var cutmixPartner: Partner?
  /// A JSON object of further operations, under the schema that the metadata document names; nil for none.
  public var operations: String?

  /// Makes a view of which only the number is known.
  public init(number: Int) { self.number = number }
}
