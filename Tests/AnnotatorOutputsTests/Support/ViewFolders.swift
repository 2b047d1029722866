import AnnotatorOutputs
import Relabel

/// Folders of labels of crops for tests.
enum ViewFolders {
  static let list = ["a/x.JPEG", "a/y.JPEG", "b/z.JPEG"]

  private static let sizes: [String: (Int, Int)] = [
    "a/x": (60, 80), "a/y": (50, 40), "b/z": (30, 90),
  ]

  /// Options that say what no file of the fixtures says.
  static func options(
    _ kind: ScoreKind? = nil,
    classes: Int? = nil,
    hasSize: Bool = false,
    hasPictures: Bool = false
  ) -> InputOptions {
    var given = AnnotatorOutputsTests.options(
      topK: nil,
      numClasses: classes,
      scoreKind: kind,
      imageList: list
    )
    if hasSize { given.views.size = ViewFacts.Size(height: 224, width: 224) }
    if hasPictures {
      given.pictureSize = { key throws(RelabelError) in
        guard let (height, width) = sizes[key] else {
          throw RelabelError(.invalidInput, "there is no picture of '\(key)'")
        }
        return ViewFacts.Size(height: height, width: width)
      }
    }
    return given
  }
}
