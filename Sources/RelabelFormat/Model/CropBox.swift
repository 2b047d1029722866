/// A rectangle in fractions of the original image (spec, section 13.1).
public struct CropBox: Hashable, Sendable {
  /// The upper edge, 0 at the top.
  public let top: Double
  /// The left edge, 0 at the left.
  public let left: Double
  /// The height.
  public let height: Double
  /// The width.
  public let width: Double

  /// Makes a box, which may lie anywhere: see `fault`.
  public init(top: Double, left: Double, height: Double, width: Double) {
    self.top = top
    self.left = left
    self.height = height
    self.width = width
  }

  /// A box from top, left, height and width in memory.
  package init(_ sides: UnsafePointer<Double>) {
    self.init(top: sides[0], left: sides[1], height: sides[2], width: sides[3])
  }

  /// The whole picture.
  public static let whole: CropBox = CropBox(top: 0, left: 0, height: 1, width: 1)

  /// How far a box may reach beyond an edge: sums of rounded fractions exceed 1 by a little.
  package static let tolerance: Double = 1e-6

  /// Top, left, height, width.
  public var components: [Double] { [top, left, height, width] }

  /// The lower edge.
  package var bottom: Double { top + height }
  /// The right edge.
  package var right: Double { left + width }

  /// Why this is not a box within a picture, or nil when it is one.
  public var fault: String? {
    let limit = 1 + Self.tolerance
    for (name, value) in zip(["top", "left", "height", "width"], components)
    where !(value >= 0 && value <= 1) {
      return "\(name) is \(value), not a fraction from 0 to 1"
    }
    if !(height > 0 && width > 0) { return "it is empty" }
    if !(top < 1 && left < 1) { return "it begins at the far edge" }
    if bottom > limit { return "top + height is \(bottom), beyond the lower edge" }
    if right > limit { return "left + width is \(right), beyond the right edge" }
    return nil
  }

  /// A box from top, left, height and width, or nil when it does not lie within the picture.
  public init?(components: [Double]) {
    guard components.count == 4 else { return nil }
    self.init(
      top: components[0],
      left: components[1],
      height: components[2],
      width: components[3]
    )
    if fault != nil { return nil }
  }
}
