import Relabel

/// What a stream of records says of all its maps (stream.md, section 2).
struct StreamHeader {
  /// How many classes the annotator scores.
  let numClasses: Int
  /// What a score is.
  let scoreKind: ScoreKind
  /// How the grid lies on the picture, when the writer knows.
  let orientation: Orientation?
  /// True where the program has subtracted from each cell the mean logit of the classes that it leaves out.
  let isCentred: Bool
  /// The optional datasets whose values each record carries, in the order of the layout.
  let fields: [Layout.Column]
  /// What is settled for all views; nil where rows are images.
  let views: ViewTraits?

  /// The version of streams of images.
  static let version = "1.0"
  /// The version of streams of views.
  static let viewsVersion = "1.1"

  /// Reads the document.
  ///
  /// - Throws: `.unsupported` for another version, `.invalidInput` for what is missing or wrong.
  init(parsing bytes: [UInt8]) throws(RelabelError) {
    let json = try JSON(parsing: bytes)
    guard case .object(let members) = json, json["format"]?.string == "relabel-stream" else {
      throw Self.wrong("the header's 'format' is not 'relabel-stream'")
    }
    let version = json["format_version"]?.string
    guard version == Self.version || version == Self.viewsVersion else {
      throw RelabelError(
        .unsupported,
        "the records are not of version \(Self.version) or \(Self.viewsVersion), which are read here"
      )
    }
    var known = [
      "format", "format_version", "num_classes", "score_kind", "orientation", "fields",
      "centred",
    ]
    if version == Self.viewsVersion { known += StreamViews.members }
    if let unknown = members.keys.filter({ !known.contains($0) }).min() {
      throw Self.wrong(
        "the header has a member '\(unknown)', which version \(version ?? "") does not know"
      )
    }
    guard let classes = json["num_classes"]?.count, classes >= 1, classes <= UInt32.max else {
      throw Self.wrong("'num_classes' of the header is not a number from 1 to \(UInt32.max)")
    }
    numClasses = classes
    scoreKind = try Self.word(json, "score_kind")
    orientation =
      json["orientation"] == nil ? nil : try Self.word(json, "orientation") as Orientation
    switch json["centred"] {
    case nil: isCentred = false
    case .bool(let value): isCentred = value
    default: throw Self.wrong("'centred' of the header is not true or false")
    }
    var names: [String] = []
    if let fields = json["fields"] {
      let words = fields.array?.map(\.string) ?? [nil]
      names = words.compactMap { $0 }
      guard names.count == words.count else {
        throw Self.wrong("'fields' of the header is not a list of names")
      }
    }
    fields = Layout.optional.filter { names.contains($0.name) }
    guard fields.map(\.name) == names else {
      let all = Layout.optional.map { "'\($0.name)'" }.joined(separator: ", ")
      throw Self.wrong("'fields' of the header may list, each once and in this order: \(all)")
    }
    views = version == Self.viewsVersion ? try StreamViews.traits(json, names) : nil
    if version == Self.version, let field = names.first(where: Layout.viewNames.contains) {
      throw Self.wrong(
        "'\(field)' is a field of views: their streams are of version \(Self.viewsVersion)"
      )
    }
  }

  static func word<Word: RawRepresentable<String> & CaseIterable>(
    _ json: JSON,
    _ name: String
  ) throws(RelabelError) -> Word {
    if let word = json[name]?.string.flatMap(Word.init) { return word }
    let words = Word.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    throw wrong("'\(name)' of the header is not one of \(words)")
  }

  static func wrong(_ reason: String) -> RelabelError {
    RelabelError(.invalidInput, "the stream of records is wrong: \(reason)")
  }
}
