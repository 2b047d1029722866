import AnnotatorOutputs
import Relabel

/// What came of the images that people marked to be left out.
public struct Exclusions: Hashable, Sendable {
  /// Rows that were left out: one an image, and each view of it.
  public let images: Int
  /// Keys that no image has, in the order of the file.
  public let unmatched: [String]

  /// Compares what was asked for with what was left out.
  ///
  /// - Parameters:
  ///   - marks: what was asked for; nil for nothing.
  ///   - leftOut: what was left out, for whatever reason.
  ///   - earlier: what was not there to begin with.
  init(
    _ marks: ReviewMarks?,
    _ leftOut: [DatasetIndex.LeftOut],
    earlier: [DatasetIndex.LeftOut] = []
  ) {
    guard let marks else {
      (images, unmatched) = (0, [])
      return
    }
    images = leftOut.count { marks.excludes($0.key) }
    let found = Set((leftOut + earlier).map { ImageKey.Exact($0.key) })
    unmatched = marks.excludedKeys.filter { !found.contains(ImageKey.Exact($0)) }
  }
}

extension ReviewMarks {
  /// Refuses marks of which none is of an image to be packed, before hours are spent on the others.
  ///
  /// - Throws: `.usage`, `.io` when the listing can't be read.
  func check(_ images: PendingImages) throws(RelabelError) {
    for place in 0..<images.count where excludes(try images[place].key) { return }
    throw .noExclusionMatches(excludedKeys[0])
  }
}

extension RelabelError {
  /// The error for marks of other images than those that are there.
  static func noExclusionMatches(_ example: String) -> RelabelError {
    RelabelError(
      .usage,
      "none of the images to exclude is there, such as '\(example)'; keys are relative paths without extension"
    )
  }
}
