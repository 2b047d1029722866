/// A rectangle in fractions of the original image.
public struct CropBox: Hashable, Sendable {
  /// The upper edge, 0 at the top.
  public let top: Float
  /// The left edge, 0 at the left.
  public let left: Float
  /// The height.
  public let height: Float
  /// The width.
  public let width: Float

  /// Makes a box.
  public init(top: Float, left: Float, height: Float, width: Float) {
    self.top = top
    self.left = left
    self.height = height
    self.width = width
  }

  /// The whole picture.
  public static let whole: CropBox = CropBox(top: 0, left: 0, height: 1, width: 1)

  /// Top, left, height, width.
  public var components: [Float] { [top, left, height, width] }

  /// A box from top, left, height and width, or nil when it does not lie within the picture.
  public init?(components: [Float]) {
    guard components.count == 4 else { return nil }
    self.init(
      top: components[0],
      left: components[1],
      height: components[2],
      width: components[3]
    )
    guard components.allSatisfy({ $0 >= 0 && $0 <= 1 }), height > 0, width > 0,
      // Written as sums in float32, boxes that touch the edge may exceed it by one rounding.
      top + height <= 1 + 1e-6, left + width <= 1 + 1e-6
    else { return nil }
  }
}
