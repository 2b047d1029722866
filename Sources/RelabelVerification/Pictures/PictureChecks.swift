/// What to check with the pictures at hand (rules I001–I006).
public struct PictureChecks: Sendable {
  /// Folders that hold the pictures: the file of an image is FOLDER/KEY.EXTENSION in one of them.
  public var folders: [String] = []
  /// Where the classes are on the pictures.
  public var boxes: BoxTable?
  /// Maps to make anew; needs `folders`.
  public var recomputation: Recomputation?

  /// Makes checks that look at nothing yet.
  public init() {}
}
