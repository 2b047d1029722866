import AnnotatorOutputs
import Relabel
import Verification

/// What is stored of an image beside its map: optional datasets (spec, section 4.5).
struct ImageFacts: Sendable {
  /// The classes of the source.
  let labels: SourceLabels?
  /// The pictures whose size and digest are stored.
  let pictures: PictureIndex?
  /// What each image brings itself.
  let given: GivenFacts

  /// The facts of a dataset.
  ///
  /// - Throws: `.usage` where two sources give the same.
  init(
    labels: SourceLabels?,
    pictures: PictureIndex?,
    given: GivenFacts
  ) throws(RelabelError) {
    (self.labels, self.pictures, self.given) = (labels, pictures, given)
    let found = pictures == nil ? [] : [Layout.imageSize, Layout.imageSHA256]
    let twice = given.names.first {
      found.contains($0) || (labels != nil && $0 == Layout.sourceLabel)
    }
    if let twice {
      let option = twice == Layout.sourceLabel ? "--labels" : "--pictures"
      throw RelabelError(
        .usage,
        "each image brings its own '\(twice)', and \(option) gives it, too; leave one of them out"
      )
    }
  }

  /// The optional datasets that shards have, in the order of the layout.
  var columns: [Layout.Column] {
    let names =
      (pictures == nil ? [] : [Layout.imageSize, Layout.imageSHA256])
      + (labels == nil ? [] : [Layout.sourceLabel]) + given.names
    return Layout.optional.filter { names.contains($0.name) }
  }

  /// What the index records of them.
  var record: [String: JSON] {
    var record: [String: JSON] = [:]
    if let labels { record["source_label"] = labels.record }
    if pictures != nil { record["pictures"] = .bool(true) }
    if !given.names.isEmpty { record["given"] = .array(given.names.map(JSON.string)) }
    return record
  }

  /// An image's values of `columns`, and its source label.
  ///
  /// - Throws: `.invalidInput` for an image without what the user asked for, `.io`.
  func values(
    of image: PendingImage
  ) throws(RelabelError) -> (stored: [[UInt8]], label: Int32) {
    var values: [String: [UInt8]] = [:]
    for (name, value) in zip(given.names, image.facts) { values[name] = value }
    if let pictures {
      (values[Layout.imageSize], values[Layout.imageSHA256]) =
        try Self.facts(ofPicture: image.key, pictures)
    }
    if let labels { values[Layout.sourceLabel] = Self.bytes(of: try labels.label(of: image.key)) }
    let label = values[Layout.sourceLabel].map { OptionalValues.label(of: $0[...]) } ?? -1
    return (columns.compactMap { values[$0.name] }, label)
  }

  /// Size and digest of an image's picture.
  private static func facts(
    ofPicture key: String,
    _ pictures: PictureIndex
  ) throws(RelabelError) -> (size: [UInt8], digest: [UInt8]) {
    guard let path = pictures.path(ofKey: key) else {
      throw RelabelError(
        .invalidInput,
        "the image has no picture of its name, or more than one, below \(pictures.folders)"
      )
    }
    guard let size = PictureSize(header: try PictureBytes(file: path)) else {
      throw RelabelError(
        .invalidInput,
        "the size of its picture can't be read from the header; JPEG, PNG, WebP, GIF and BMP are read"
      )
    }
    let digest = try Digest.of(file: path).hex
    let sides = [UInt32(clamping: size.height), UInt32(clamping: size.width)].flatMap(bytes)
    return (sides, bytes(ofHex: digest))
  }

  private static func bytes(of value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  private static func bytes(ofHex text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8($0 < 58 ? $0 - 48 : $0 - 87) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
