import Relabel

/// What a source of views settles for all of them.
struct ViewSettings {
  /// The name of the dialect.
  let dialect: String
  /// The columns whose values views have, by name.
  var columns: Set<String> = []
  var boxType: ViewFacts.BoxType?
  /// Bytes of a row's operations at most.
  var operationsBytes = 0
  var operationsSchema: String?
  var rowOrder = RowOrder.source
  /// The type of the scores in the files.
  var scalar = NumPyScalar.float32
  /// True where the scores of all classes stand in their order.
  var isInClassOrder = false
  /// Classes of the annotator, where the files say.
  var numClasses: Int?
  /// What a score is, where the files say.
  var kind: ScoreKind?
  /// What the annotator saw, where the files say.
  var size: ViewFacts.Size?
  /// Views of a batch.
  var batchSize: Int?
  /// Rows that are mostly read together.
  var rowsTogether: Int?
  /// The steps from picture to view, in their order.
  var chain: [String] = []
  /// What an export needs besides.
  var source: [String: JSON] = [:]

  init(dialect: String) { self.dialect = dialect }

  /// The columns in the order of the layout.
  var layout: [Layout.Column] {
    Layout.views.filter { columns.contains($0.name) || $0.name == Layout.view }
  }

  /// What the packer takes from it.
  ///
  /// - Throws: `.usage` where the user has to say more.
  func traits(_ options: InputOptions) throws(RelabelError) -> SourceTraits {
    if let given = options.scoreKind, let kind, given != kind {
      throw RelabelError(
        .usage,
        "files of the dialect '\(dialect)' hold scores of the kind '\(kind.rawValue)', --score-kind says"
          + " '\(given.rawValue)'; leave the option out"
      )
    }
    let words = options.views
    if let given = words.size, let size, given != size {
      throw RelabelError(
        .usage,
        "the files say that views are \(size.height)×\(size.width), --view-size says \(given.height)×\(given.width);"
          + " leave the option out"
      )
    }
    let size = size ?? words.size
    if columns.contains(Layout.cutmixBox), size == nil {
      throw RelabelError(
        .usage,
        "the views have boxes of CutMix in pixels of what the annotator saw, whose size no file says: please give"
          + " --view-size HEIGHTxWIDTH"
      )
    }
    var traits = SourceTraits(
      scoreKind: kind,
      numClasses: numClasses,
      isReLabelDialect: false,
      dialects: [dialect]
    )
    traits.columns = layout
    let facts = ViewFacts(
      size: size,
      boxType: columns.contains(Layout.viewBox) ? boxType : nil,
      operationsBytes: columns.contains(Layout.operations) ? operationsBytes : 0
    )
    var views = ViewTraits(facts: facts, rowOrder: rowOrder, document: document(words))
    views.encoding = scalar == .float16 ? .float16 : .float32
    // The best of a cell come in the order of their scores.
    views.cellOrder = options.topK != nil ? .score : isInClassOrder ? .class : .source
    views.temperature = words.temperature
    views.rowsTogether = rowsTogether
    traits.views = views
    return traits
  }

  /// The member `views` of the metadata document.
  private func document(_ words: ViewWords) -> JSON {
    var source = source
    source["score_type"] = .string(scalar.typeName)
    if let type = words.labelType { source["label_type"] = .string(type) }
    var members: [String: JSON] = [
      "dialect": .string(dialect),
      "chain": .array(chain.map(JSON.string)),
      "interpolation": .string(words.interpolation ?? "unknown"),
      "teacher_mode": .string(words.teacherMode ?? "unknown"),
      "source": .object(source),
    ]
    if let antialias = words.antialias { members["antialias"] = .bool(antialias) }
    if columns.contains(Layout.operations), let operationsSchema {
      members["operations_schema"] = .string(operationsSchema)
    }
    if let batchSize { members["batch_size"] = .integer(Int64(batchSize)) }
    return .object(members)
  }
}
