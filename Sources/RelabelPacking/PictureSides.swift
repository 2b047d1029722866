import Relabel
import RelabelVerification

/// The sizes of pictures by the keys of their images.
struct PictureSides: Sendable {
  private let index: PictureIndex

  /// - Parameter folders: the folders of the pictures; nil is returned for none.
  /// - Throws: `.io` naming a folder that can't be listed.
  init?(_ folders: [String]) throws(RelabelError) {
    if folders.isEmpty { return nil }
    index = try PictureIndex(folders)
  }

  /// The size of the picture of an image.
  ///
  /// - Throws: `.invalidInput` where there is none, or its size can't be read.
  @Sendable
  func size(_ key: String) throws(RelabelError) -> ViewFacts.Size {
    guard let path = index.path(ofKey: key) else {
      throw RelabelError(
        .invalidInput,
        "the image '\(key)' has no picture of its name, or more than one, below \(index.folders)"
      )
    }
    guard let size = PictureSize(header: try PictureBytes(file: path)) else {
      throw RelabelError(
        .invalidInput,
        "the size of its picture can't be read from the header; JPEG, PNG, WebP, GIF and BMP are read",
        at: Location(file: path)
      )
    }
    return ViewFacts.Size(height: size.height, width: size.width)
  }
}
