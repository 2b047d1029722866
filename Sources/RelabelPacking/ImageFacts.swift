import AnnotatorOutputs
import Relabel
import RelabelVerification

/// What is stored of an image beside its map: optional datasets (spec, section 4.5).
struct ImageFacts: Sendable {
  /// The classes of the source.
  let labels: SourceLabels?
  /// The pictures whose size and digest are stored.
  let pictures: PictureIndex?
  /// What part of its picture each map covers.
  let extents: MapExtents?
  /// True where the logarithms of the sums over all classes are stored.
  let hasLogNormalizer: Bool
  /// What each image brings itself.
  let given: GivenFacts
  /// The optional datasets that shards have, in the order of the layout.
  let columns: [Layout.Column]

  /// The facts of a dataset.
  ///
  /// - Throws: `.usage` where two sources give the same.
  init(
    labels: SourceLabels?,
    pictures: PictureIndex?,
    given: GivenFacts,
    extents: MapExtents?,
    hasLogNormalizer: Bool,
    hasFactors: Bool
  ) throws(RelabelError) {
    (self.labels, self.pictures, self.given) = (labels, pictures, given)
    (self.extents, self.hasLogNormalizer) = (extents, hasLogNormalizer)
    let all: [(isUsed: Bool, option: String, names: [String])] = [
      (pictures != nil, "--pictures", [Layout.imageSize, Layout.imageSHA256]),
      (labels != nil, "--labels", [Layout.sourceLabel]),
      (extents != nil, "--map-extents", [Layout.mapExtent]),
      (hasLogNormalizer, "--log-normalizer", [Layout.logNormalizer]),
    ]
    let sources = all.filter(\.isUsed)
    let names =
      sources.flatMap(\.names) + given.names + (hasFactors ? Layout.factors.map(\.name) : [])
    columns = Layout.optional.filter { names.contains($0.name) }
    for (_, option, names) in sources {
      guard let twice = names.first(where: given.names.contains) else { continue }
      throw RelabelError(
        .usage,
        "each image brings its own '\(twice)', and \(option) gives it, too; leave one of them out"
      )
    }
  }

  /// What the index records of them.
  var record: [String: JSON] {
    var record: [String: JSON] = [:]
    if let labels { record["source_label"] = labels.record }
    if pictures != nil { record["pictures"] = .bool(true) }
    if !given.names.isEmpty { record["given"] = .array(given.names.map(JSON.string)) }
    if let extents { record["map_extents"] = extents.record }
    if hasLogNormalizer { record["log_normalizer"] = .bool(true) }
    return record
  }

  /// An image's values of `columns`, and its source label.
  ///
  /// - Throws: `.invalidInput` for an image without what the user asked for, `.io`.
  func values(
    of image: PendingImage,
    _ loaded: LoadedMap,
    _ map: LabelMap
  ) throws(RelabelError) -> (stored: [[UInt8]], label: Int32) {
    if columns.isEmpty { return ([], -1) }
    var values = FactorForm.rows(map)
    for (name, value) in zip(given.names, image.facts) { values[name] = value }
    if let pictures {
      (values[Layout.imageSize], values[Layout.imageSHA256]) =
        try Self.facts(ofPicture: image.key, pictures)
    }
    if let labels { values[Layout.sourceLabel] = Self.bytes(of: try labels.label(of: image.key)) }
    let label = values[Layout.sourceLabel].map { OptionalValues.label(of: $0[...]) } ?? -1
    if let extents {
      let extent = try extents.extent(of: image.key)
      values[Layout.mapExtent] = extent.indices.flatMap { Self.bytes(of: extent[$0].bitPattern) }
    }
    if hasLogNormalizer {
      guard let sums = loaded.logNormalizer else {
        throw RelabelError(
          .invalidInput,
          "the input holds the best classes only, so the sum over all is not known: pack it without"
            + " --log-normalizer"
        )
      }
      values[Layout.logNormalizer] = sums.flatMap { Self.bytes(of: $0.bitPattern) }
    }
    return (columns.compactMap { values[$0.name] }, label)
  }

  /// The part of the picture that an image's map covers; `other` where the images have none of their own.
  func extent(of key: String, else other: CropBox) throws(RelabelError) -> CropBox {
    guard let sides = try extents?.extent(of: key) else { return other }
    return CropBox(
      top: Double(sides[0]),
      left: Double(sides[1]),
      height: Double(sides[2]),
      width: Double(sides[3])
    )
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
