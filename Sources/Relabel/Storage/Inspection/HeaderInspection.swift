/// The values of the root attributes, before the datasets have been looked at.
struct RootAttributes {
  var version: FormatVersion
  var features: Features
  var numClasses: Int
  var scoreKind: ScoreKind
  var classesAre: ClassRelation
  var fill: Fill
  var temperature: Double
  var cellOrder: CellOrder
  var rowOrder: RowOrder
  var orientation: Orientation
  var mapExtent: CropBox
  var writer: String
  var buildID: String
  var metadata: MetadataDocument
  /// Nil without the feature `views`, or where nobody says.
  var viewSize: ViewFacts.Size?

  /// True where ids of a cell number factors.
  var hasFactors: Bool { features.required.contains(Features.factors) }

  var hasViews: Bool { features.required.contains(Features.views) }
}

/// Reads what the root attributes say (spec, "Root attributes", "Compatibility").
struct HeaderInspection {
  private let root: AttributeReader

  init(_ file: FileContents, report: @escaping (Violation) -> Void) {
    root = AttributeReader(file.root, rule: .l004, report: report)
  }

  /// The attributes, or nil when the file can't be understood further.
  func inspect() -> RootAttributes? {
    guard isShard(), let version = version(), let features = features(version) else { return nil }
    if version.isKnown { inspectNames(features) }
    root.inspectVendors()
    let numClasses = numClasses()
    let scoreKind = root.word("score_kind", ScoreKind.self)
    let classesAre = relation(version, features)
    let fill = fill(scoreKind, classesAre)
    let temperature = temperature()
    let cellOrder = cellOrder(features)
    let rowOrder = rowOrder(features)
    let viewSize = viewSize(version, features)
    let orientation = root.word("orientation", Orientation.self)
    let mapExtent = mapExtent()
    let writer = root.string("writer")
    let buildID = buildID()
    guard let numClasses, let scoreKind, let classesAre, let fill, let temperature, let cellOrder,
      let rowOrder,
      let orientation, let mapExtent, let writer, let buildID, let viewSize
    else { return nil }
    let metadata = MetadataInspection(
      root: root,
      numClasses: numClasses,
      temperature: temperature,
      mapExtent: mapExtent
    )
    guard let metadata = metadata.inspect() else { return nil }
    return RootAttributes(
      version: version,
      features: features,
      numClasses: numClasses,
      scoreKind: scoreKind,
      classesAre: classesAre,
      fill: fill,
      temperature: temperature,
      cellOrder: cellOrder,
      rowOrder: rowOrder,
      orientation: orientation,
      mapExtent: mapExtent,
      writer: writer,
      buildID: buildID,
      metadata: metadata,
      viewSize: viewSize ?? nil
    )
  }

  private func isShard() -> Bool {
    guard let attribute = root["format"], attribute.shape.isEmpty, let format = attribute.text
    else {
      root.fail(.l001, "attribute 'format' is missing or not a string: this is not a ReLabel shard")
      return false
    }
    if format != "relabel" { root.fail(.l001, "attribute 'format' is '\(format)', not 'relabel'") }
    return format == "relabel"
  }

  private var writer: String { root["writer"].flatMap(\.text) ?? "an unknown writer" }

  private func version() -> FormatVersion? {
    guard let text = root.string("format_version") else { return nil }
    guard let version = FormatVersion(text) else {
      root.fail(.l002, "attribute 'format_version' is '\(text)', not MAJOR.MINOR")
      return nil
    }
    guard version.major == FormatVersion.current.major else {
      root.fail(
        .l002,
        "format version \(version), written by \(writer), needs a reader of version "
          + "\(version.major); this one reads \(FormatVersion.current.major)"
      )
      return nil
    }
    return version
  }

  /// The features that the file names; nil when it requires an unknown one.
  private func features(_ version: FormatVersion) -> Features? {
    guard let required = root.string("features_required"),
      let optional = root.string("features_optional")
    else { return nil }
    let features = Features(required: required, optional: optional)
    if let fault = features.fault { root.fail(fault) }
    let unknown = features.required.filter { !FormatVersion.supportedFeatures.contains($0) }
    guard unknown.isEmpty else {
      root.fail(
        .l003,
        "feature '\(unknown.joined(separator: "', '"))' is required by this file, written by "
          + "\(writer); a reader of format version \(version) or newer that knows it is needed"
      )
      return nil
    }
    return features
  }

  /// Reports attributes that no version up to the newest knows, or that need a feature (spec, section 5.1).
  private func inspectNames(_ features: Features) {
    var names = Self.names
    if features.required.contains(Features.independent) { names.insert(Self.classesAre) }
    if features.required.contains(Features.views) { names.insert(Self.viewSize) }
    for name in root.names where !names.contains(name) && !name.hasPrefix("x-") {
      if !MetadataInspection.owns(name) {
        root.fail("there is no attribute '\(name)' in format 1.0; your own names start with 'x-'")
      }
    }
  }

  private static let classesAre = "classes_are"
  private static let viewSize = "view_size"

  private static let names: Set<String> = [
    "format", "format_version", "features_required", "features_optional", "num_classes",
    "score_kind", "fill", "temperature", "cell_order", "row_order", "orientation", "map_extent",
    "writer", "build_id",
  ]

  private func numClasses() -> Int? {
    guard let value = root.integer("num_classes") else { return nil }
    guard (1...Int64(UInt32.max)).contains(value) else {
      root.fail("attribute 'num_classes' is \(value), not between 1 and \(UInt32.max)")
      return nil
    }
    return Int(value)
  }

  /// Whether classes exclude each other, which the feature and its attribute say together.
  private func relation(_ version: FormatVersion, _ features: Features) -> ClassRelation? {
    guard features.required.contains(Features.independent) else { return .exclusive }
    if version == .current {
      root.fail("feature 'independent' came with format 1.1, but 'format_version' is \(version)")
    }
    guard let relation = root.word(Self.classesAre, ClassRelation.self) else { return nil }
    guard relation == .independent else {
      root.fail(
        "attribute 'classes_are' is '\(relation.rawValue)', but feature 'independent' is required"
      )
      return nil
    }
    return relation
  }

  private func fill(_ kind: ScoreKind?, _ relation: ClassRelation?) -> Fill? {
    guard let fill = root.word("fill", Fill.self) else { return nil }
    if kind == .logit, fill != .zero {
      root.fail("attribute 'fill' is '\(fill.rawValue)', but logits are filled with 'zero'")
      return nil
    }
    if relation == .independent, fill != .zero {
      root.fail(
        "attribute 'fill' is '\(fill.rawValue)', but classes that don't exclude each other leave no rest to share"
      )
      return nil
    }
    return fill
  }

  private func temperature() -> Double? {
    guard let value = root.floats("temperature", .float64)?.first else { return nil }
    guard value > 0, value.isFinite else {
      root.fail("attribute 'temperature' is \(value), not a positive number")
      return nil
    }
    return value
  }

  private func cellOrder(_ features: Features) -> CellOrder? {
    guard let order = root.word("cell_order", CellOrder.self) else { return nil }
    guard order != .source || features.required.contains(Features.views) else {
      root.fail("attribute 'cell_order' is 'source', which only views may have")
      return nil
    }
    return order
  }

  private func rowOrder(_ features: Features) -> RowOrder? {
    guard let text = root.string("row_order") else { return nil }
    let hasViews = features.required.contains(Features.views)
    guard let order = RowOrder(text), "\(order)" == text, hasViews || !order.isOfViews else {
      let others = hasViews ? ", 'image', 'replay'" : ""
      root.fail("attribute 'row_order' is '\(text)', not 'source'\(others) or 'shuffled:SEED'")
      return nil
    }
    return order
  }

  /// The size of a view, where the feature is required and somebody says; nil after a report.
  private func viewSize(_ version: FormatVersion, _ features: Features) -> ViewFacts.Size?? {
    guard features.required.contains(Features.views) else { return .some(nil) }
    if version == .current {
      root.fail("feature 'views' came with format 1.1, but 'format_version' is \(version)")
    }
    guard root.has(Self.viewSize) else { return .some(nil) }
    guard let sides = root.integers(Self.viewSize, count: 2) else { return nil }
    guard sides.allSatisfy({ (1...Self.largestSide).contains($0) }) else {
      root.fail("attribute 'view_size' is \(sides), not a height and a width in pixels")
      return nil
    }
    return ViewFacts.Size(height: Int(sides[0]), width: Int(sides[1]))
  }

  private static let largestSide: Int64 = Int64(Int32.max)

  private func mapExtent() -> CropBox? {
    guard let values = root.floats("map_extent", .float32, count: 4) else { return nil }
    guard let box = CropBox(components: values) else {
      root.fail("attribute 'map_extent' is \(values), not a box within the picture")
      return nil
    }
    return box
  }

  private func buildID() -> String? {
    guard let text = root.string("build_id") else { return nil }
    guard text.isHexDigest else {
      root.fail("attribute 'build_id' is '\(text)', not 64 hexadecimal digits")
      return nil
    }
    return text
  }
}

extension Attribute {
  /// The bytes of a string attribute.
  var stringBytes: [UInt8]? {
    guard case .string(let bytes)? = value else { return nil }
    return bytes
  }

  /// The text of a string attribute, for messages.
  var text: String? { stringBytes.map { String(decoding: $0, as: UTF8.self) } }
}
