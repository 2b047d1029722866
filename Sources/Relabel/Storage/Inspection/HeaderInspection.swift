internal import HDF5

/// The values of the root attributes, before the datasets have been looked at.
struct RootAttributes {
  var version: FormatVersion
  var numClasses: Int
  var scoreKind: ScoreKind
  var fill: Fill
  var temperature: Double
  var cellOrder: CellOrder
  var rowOrder: RowOrder
  var orientation: Orientation
  var mapExtent: CropBox
  var writer: String
  var buildID: String
  var metadata: MetadataDocument
  var optionalFeatures: [String]
}

/// Reads what the root attributes say (spec, "Root attributes", "Compatibility").
struct HeaderInspection {
  let report: (Violation) -> Void

  /// The attributes, or nil when the file can't be understood further.
  func inspect(_ file: borrowing File) throws(HDF5Error) -> RootAttributes? {
    let format = try AttributeReader(file, rule: "L001", report: report)
    guard let name = format.string("format") else { return nil }
    guard name == "relabel" else {
      format.fail("attribute 'format' is '\(name)', not 'relabel'")
      return nil
    }
    guard let version = try version(file), let optionalFeatures = try features(file, version) else {
      return nil
    }
    let root = try AttributeReader(file, rule: "L004", report: report)
    inspectNames(root)
    let numClasses = numClasses(root)
    let scoreKind = root.word("score_kind", ScoreKind.self)
    let fill = fill(root, scoreKind)
    let temperature = temperature(root)
    let cellOrder = root.word("cell_order", CellOrder.self)
    let rowOrder = rowOrder(root)
    let orientation = root.word("orientation", Orientation.self)
    let mapExtent = mapExtent(root)
    let writer = root.string("writer")
    let buildID = buildID(root)
    let metadata = try metadata(file, root, numClasses: numClasses)
    guard let numClasses, let scoreKind, let fill, let temperature, let cellOrder, let rowOrder,
      let orientation, let mapExtent, let writer, let buildID, let metadata
    else { return nil }
    return RootAttributes(
      version: version,
      numClasses: numClasses,
      scoreKind: scoreKind,
      fill: fill,
      temperature: temperature,
      cellOrder: cellOrder,
      rowOrder: rowOrder,
      orientation: orientation,
      mapExtent: mapExtent,
      writer: writer,
      buildID: buildID,
      metadata: metadata,
      optionalFeatures: optionalFeatures
    )
  }

  /// Reports attributes that version 1.0 does not know (spec, section 5.1).
  private func inspectNames(_ root: AttributeReader) {
    for name in root.names
    where !Self.names.contains(name) && !name.hasPrefix("x-") && !name.hasPrefix("metadata_") {
      root.fail("there is no attribute '\(name)' in format 1.0; names of your own start with 'x-'")
    }
  }

  private static let names: Set<String> = [
    "format", "format_version", "features_required", "features_optional", "num_classes",
    "score_kind", "fill", "temperature", "cell_order", "row_order", "orientation", "map_extent",
    "writer", "build_id",
  ]

  private func version(_ file: borrowing File) throws(HDF5Error) -> FormatVersion? {
    let root = try AttributeReader(file, rule: "L002", report: report)
    guard let text = root.string("format_version") else { return nil }
    guard let version = FormatVersion(text) else {
      root.fail("attribute 'format_version' is '\(text)', not MAJOR.MINOR")
      return nil
    }
    guard version.major == FormatVersion.current.major else {
      let writer = root["writer"].flatMap(\.text) ?? "an unknown writer"
      root.fail(
        "format version \(version), written by \(writer), needs a reader of version "
          + "\(version.major); this one reads \(FormatVersion.current.major)"
      )
      return nil
    }
    return version
  }

  /// The optional features that the file names; nil when it requires an unknown one.
  private func features(
    _ file: borrowing File,
    _ version: FormatVersion
  ) throws(HDF5Error) -> [String]? {
    let root = try AttributeReader(file, rule: "L003", report: report)
    guard let required = root.string("features_required"),
      let optional = root.string("features_optional")
    else { return nil }
    let unknown = required.split(separator: " ").map(String.init).filter {
      $0 != "none" && !FormatVersion.supportedFeatures.contains($0)
    }
    guard unknown.isEmpty else {
      let writer = root["writer"].flatMap(\.text) ?? "an unknown writer"
      root.fail(
        "feature '\(unknown.joined(separator: "', '"))' is required by this file, written by "
          + "\(writer); a reader of format version \(version) or newer that knows it is needed"
      )
      return nil
    }
    return optional.split(separator: " ").map(String.init)
  }

  private func numClasses(_ root: AttributeReader) -> Int? {
    guard let value = root.integer("num_classes") else { return nil }
    guard (1...Int64(UInt32.max)).contains(value) else {
      root.fail("attribute 'num_classes' is \(value), not between 1 and \(UInt32.max)")
      return nil
    }
    return Int(value)
  }

  private func fill(_ root: AttributeReader, _ kind: ScoreKind?) -> Fill? {
    guard let fill = root.word("fill", Fill.self) else { return nil }
    if kind == .logit, fill != .zero {
      root.fail("attribute 'fill' is '\(fill.rawValue)', but logits are filled with 'zero'")
      return nil
    }
    return fill
  }

  private func temperature(_ root: AttributeReader) -> Double? {
    guard let value = root.floats("temperature", .float64)?.first else { return nil }
    guard value > 0, value.isFinite else {
      root.fail("attribute 'temperature' is \(value), not a positive number")
      return nil
    }
    return value
  }

  private func rowOrder(_ root: AttributeReader) -> RowOrder? {
    guard let text = root.string("row_order") else { return nil }
    guard let order = RowOrder(text), "\(order)" == text else {
      root.fail("attribute 'row_order' is '\(text)', not 'source' or 'shuffled:SEED'")
      return nil
    }
    return order
  }

  private func mapExtent(_ root: AttributeReader) -> CropBox? {
    guard let values = root.floats("map_extent", .float32, count: 4) else { return nil }
    guard let box = CropBox(components: values.map(Float.init)) else {
      root.fail("attribute 'map_extent' is \(values), not a box within the picture")
      return nil
    }
    return box
  }

  private func buildID(_ root: AttributeReader) -> String? {
    guard let text = root.string("build_id") else { return nil }
    guard text.isHexDigest else {
      root.fail("attribute 'build_id' is '\(text)', not 64 hexadecimal digits")
      return nil
    }
    return text
  }

  private func metadata(
    _ file: borrowing File,
    _ root: AttributeReader,
    numClasses: Int?
  ) throws(HDF5Error) -> MetadataDocument? {
    let pieces = try AttributeReader(file, rule: "L013", report: report)
    let count = pieces.names.count { $0.hasPrefix("metadata_") && $0 != "metadata_sha256" }
    guard count > 0 else {
      pieces.fail("attribute 'metadata_0000' is missing")
      return nil
    }
    var document: [UInt8] = []
    for piece in 0..<count {
      guard let bytes = pieces.bytes(MetadataDocument.pieceName(piece)) else { return nil }
      document += bytes
    }
    let digest = try AttributeReader(file, rule: "L014", report: report)
    guard let stored = digest.string("metadata_sha256") else { return nil }
    if stored != Digest.of(document) {
      digest.fail("attribute 'metadata_sha256' is not the digest of the metadata document")
    }
    do {
      let metadata = try MetadataDocument(parsing: document)
      if let classes = metadata.classes, let numClasses, classes.entries.count != numClasses {
        pieces.fail("the class table has \(classes.entries.count) of \(numClasses) classes")
        return nil
      }
      return metadata
    } catch {
      pieces.fail(error.message)
      return nil
    }
  }
}

extension Attribute {
  /// The text of a string attribute, for messages.
  var text: String? {
    guard case .string(let bytes)? = value else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension String {
  /// True for 64 lower-case hexadecimal digits.
  package var isHexDigest: Bool {
    utf8.count == 64
      && utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
