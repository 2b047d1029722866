/// Everything a shard says about its rows; equal in all shards of one dataset.
public struct ShardHeader: Hashable, Sendable {
  /// The version of the layout.
  public var version: FormatVersion = .current
  /// What the file asks of its readers.
  public var features: Features = .none
  /// Classes that the annotator distinguishes.
  public var numClasses: Int
  /// What a score is.
  public var scoreKind: ScoreKind
  /// Whether classes exclude each other; a new shard of other classes needs version, feature and fill that go with them
  /// (`declareIndependent`).
  public package(set) var classesAre: ClassRelation = .exclusive
  /// What an absent class counts as.
  public var fill: Fill
  /// The softmax temperature that the scores were made at.
  public var temperature: Double = 1
  /// How the entries of a cell are ordered.
  public var cellOrder: CellOrder = .score
  /// How the rows of the dataset are ordered.
  public var rowOrder: RowOrder = .source
  /// Whether the grid's first axis runs down the picture.
  public var orientation: Orientation = .unknown
  /// The part of the picture that the grid covers.
  public var mapExtent: CropBox = .whole
  /// The software that wrote the shard.
  public var writer: String = "relabel-pack \(Software.version)"
  /// The digest of options and listing that the dataset was made from.
  public var buildID: String
  /// Grid and top-k.
  public var shape: MapShape
  /// How scores are stored.
  public var encoding: ScoreEncoding
  /// Bytes of one image key.
  public var keyBytes: Int
  /// Images in one chunk of labels.
  public var imagesPerChunk: Int = 4
  /// How chunks are compressed.
  public var compression: Compression = .default
  /// What is said of all views; nil where rows are images, which a new shard changes by `declareViews`.
  public package(set) var views: ViewFacts?
  /// How near the writer made factors, in its own measure: the lower, the nearer; nil where it does not say.
  public package(set) var factorQuality: Double?
  /// Where the labels come from.
  public var metadata: MetadataDocument

  /// Makes the header of a new shard; the rest can be set after.
  public init(
    numClasses: Int,
    scoreKind: ScoreKind,
    shape: MapShape,
    encoding: ScoreEncoding,
    keyBytes: Int,
    buildID: String,
    metadata: MetadataDocument
  ) {
    self.numClasses = numClasses
    self.scoreKind = scoreKind
    fill = scoreKind.defaultFill
    self.shape = shape
    self.encoding = encoding
    self.keyBytes = keyBytes
    self.buildID = buildID
    self.metadata = metadata
  }

  /// Says that classes don't exclude each other, which readers of format 1.0 have to refuse (spec, section 8.6).
  public mutating func declareIndependent() {
    classesAre = .independent
    fill = .zero
    version = .newest
    features = features.requiring(Features.independent)
  }

  /// Says that rows are views of images, which readers of format 1.0 have to refuse (spec, section 4.10).
  public mutating func declareViews(_ facts: ViewFacts) {
    views = facts
    version = .newest
    features = features.requiring(Features.views)
  }

  /// Says that maps are sums of products, which readers that know nothing of it have to refuse (spec, section 4.11).
  package mutating func declareFactors(quality: Double? = nil) {
    factorQuality = quality
    cellOrder = .class
    version = .newest
    features = features.requiring(Features.factors)
  }

  /// What the header of maps says of those maps with `best` classes in each cell; itself where they have classes.
  package func ofClasses(best: Int = 5) -> ShardHeader {
    guard hasFactors else { return self }
    var header = self
    header.features = .none
    header.factorQuality = nil
    header.cellOrder = .score
    header.shape = MapShape(
      height: shape.height,
      width: shape.width,
      topK: min(best, numClasses)
    )
    return header
  }

  /// True where ids of a cell number factors, and no classes (spec, section 4.11).
  public var hasFactors: Bool { features.required.contains(Features.factors) }

  /// True where pooled scores become a target by a softmax over all classes (spec, section 13.4).
  package var hasSoftmax: Bool { scoreKind == .logit && classesAre == .exclusive }

  /// The type of class ids.
  package var classIndexType: ElementType { Layout.classIndexType(numClasses: numClasses) }

  /// Bytes of an image's ids and scores before compression.
  package var labelBytes: Int {
    shape.entries * (classIndexType.size + encoding.elementType.size)
  }

  /// The rules that every cell obeys.
  package func cellRules(order: CellOrder?) -> CellRules {
    CellRules(
      numClasses: numClasses,
      kind: scoreKind,
      classesAre: classesAre,
      encoding: encoding,
      order: order == .source ? nil : order
    )
  }

  /// How the dataset `column` of a new shard is made.
  package func description(of column: Layout.Column) -> DatasetDescription {
    let type: ElementType =
      switch column.name {
      case Layout.classIndex: classIndexType
      case Layout.score: encoding.elementType
      case Layout.imageKey: .utf8(bytes: keyBytes)
      case Layout.operations: .utf8(bytes: views?.operationsBytes ?? 0)
      default: column.types.first ?? .int64
      }
    let row = column.rowShape(shape, numClasses: numClasses)
    // What is read with the cells lies in chunks as they do.
    let isOfCells = column.axes.hasPrefix("image y x") || column.name == Layout.classFactor
    return DatasetDescription(
      type: type,
      shape: [0] + row,
      maximumShape: [nil] + row,
      chunk: [isOfCells ? imagesPerChunk : Layout.rowsPerIdentityChunk] + row,
      filters: Layout.filters(
        isShuffled: column.isShuffled,
        deflate: compression.level(of: column.name)
      ),
      fillValue: Layout.definedFillValue(type)
    )
  }
}
