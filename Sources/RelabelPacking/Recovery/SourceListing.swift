import AnnotatorOutputs
import Relabel

/// The listing that a dataset was packed from: it knows the key of each image index and the reverse
/// (spec, section 9.1).
struct SourceListing {
  private let list: ImageList

  /// - Throws: `.usage` naming the invalid line.
  init(_ lines: [String]) throws(RelabelError) { list = try ImageList(lines) }

  func key(ofImageIndex index: Int64) -> String? {
    list.keys.indices.contains(Int(index)) ? list.keys[Int(index)] : nil
  }

  func imageIndex(ofKey key: String) -> Int64? { list.line(of: key).map(Int64.init) }

  /// Refuses a listing that contradicts images whose key and index are both sound.
  ///
  /// - Throws: `.usage` naming the first.
  func check(_ survey: ShardSurvey) throws(RelabelError) {
    for (row, index) in survey.imageIndexes.enumerated() where index >= 0 {
      guard let key = survey.keys[row] else { continue }
      let listed = self.key(ofImageIndex: index)
      // By bytes: composed and decomposed accents are two keys.
      guard let listed, listed.utf8.elementsEqual(key.utf8) else {
        throw RelabelError(
          .usage,
          "image \(index) is '\(key)', but line \(index + 1) of the image list "
            + (listed.map { "is '\($0)'" } ?? "is not there")
            + ": the dataset was not packed from this list"
        )
      }
    }
  }
}
