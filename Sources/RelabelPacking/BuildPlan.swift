import AnnotatorOutputs
import Relabel
import RelabelVerification

/// Everything that is settled before the first shard is written.
struct BuildPlan {
  private(set) var header: ShardHeader
  /// The options as `index.json` records them.
  private(set) var options: [String: JSON]
  let imagesPerShard: Int
  let annotator: String?
  /// True where logits are stored less the mean of those that their cell leaves out.
  let centres: Bool
  /// Makes factors of maps; nil where the best classes are kept.
  var factors: FactorForm?
  /// What settles the quality of factors; nil where nobody gave a budget.
  let budget: FactorBudget?
  /// What factors would lose, where the best classes are kept; nil where nobody asked.
  let alternative: FactorForm?
  /// What is stored of each image beside its map.
  let facts: ImageFacts
  /// What the packer had to assume: the name and value of each option.
  let assumptions: [Assumption]

  /// Images that are loaded and encoded together: about 8 MB of them, which bounds memory at any number
  /// of jobs.
  var window: Int { max(64, min(1024, (8 << 20) / header.labelBytes)) }

  /// Bytes of a key when keys are not known before they arrive.
  private static let arrivingKeyBytes = 256

  /// Settles score kind, classes, shape and encoding.
  ///
  /// - Parameters:
  ///   - options: the user's options.
  ///   - traits: what the source itself settles.
  ///   - shape: grid and k of the first sound image.
  ///   - keys: of the images that `shape` comes from.
  ///   - listing: all images, or nil when they arrive one by one.
  /// - Throws: `.usage` for an option that is missing or contradicts the source.
  init(
    _ options: PackOptions,
    traits: SourceTraits,
    shape: MapShape,
    keys: [String],
    listing: PendingImages?
  ) throws(RelabelError) {
    guard let kind = options.scoreKind ?? traits.scoreKind else {
      throw RelabelError(
        .usage,
        "the input does not say what its scores are: please give "
          + "--score-kind logit, probability or log-probability"
      )
    }
    guard let numClasses = options.numClasses ?? options.classes?.entries.count ?? traits.numClasses
    else {
      throw RelabelError(
        .usage,
        "the input does not say how many classes there are: please give --num-classes"
      )
    }
    if let classes = options.classes, classes.entries.count != numClasses {
      throw RelabelError(
        .usage,
        "the class list has \(classes.entries.count) classes, but --num-classes is \(numClasses)"
      )
    }
    guard kind == .logit || !options.logNormalizer else {
      throw RelabelError(
        .usage,
        "only logits have a logarithm of their sum: --log-normalizer does not go with"
          + " \(kind.rawValue) scores"
      )
    }
    guard kind == .logit || !options.centres else {
      throw RelabelError(
        .usage,
        "only logits may be shifted: --centre does not go with \(kind.rawValue) scores"
      )
    }
    if options.factors != nil { try Self.checkFactors(options, traits, kind) }
    guard shape.topK <= numClasses else {
      throw RelabelError(.usage, "--top-k \(shape.topK) is more than the \(numClasses) classes")
    }
    let rowOrder = try Self.rowOrder(options.rowOrder, traits, isListed: listing != nil)
    let metadata: MetadataDocument
    do {
      metadata = try MetadataDocument(
        annotator: options.annotator,
        classes: options.classes,
        views: traits.views?.document
      )
    } catch {
      throw RelabelError(.usage, "--annotator: \(error.message)")
    }
    let name = options.encoding ?? traits.views?.encoding ?? .fixed16
    let encoding = try ScoreEncoding(
      name,
      for: kind,
      maximumError: options.maximumError ?? options.preset.maximumError(name, kind)
    )
    var header = ShardHeader(
      numClasses: numClasses,
      scoreKind: kind,
      shape: shape,
      encoding: encoding,
      keyBytes: try Self.keyBytes(options, listing),
      buildID: "",
      metadata: metadata
    )
    if options.classesAre == .independent {
      try Self.checkIndependent(options, traits)
      header.declareIndependent()
    }
    if let views = traits.views { header.declareViews(views.facts) }
    header.cellOrder = traits.views?.cellOrder ?? options.cellOrder
    if let settings = options.factors { Self.declareFactors(settings, in: &header) }
    header.rowOrder = rowOrder
    header.orientation = try Self.orientation(options, traits)
    header.imagesPerChunk =
      traits.views.map { Self.rowsPerChunk(of: $0, header, options) } ?? options.imagesPerChunk
    header.compression = options.compression
    try Self.copyGeometry(of: options.annotator, to: &header)
    if let temperature = traits.views?.temperature {
      try Self.copy(temperature, to: &header, options)
    }
    try Self.checkSizes(header)
    let given = GivenFacts(traits.columns, numClasses: numClasses, views: traits.views?.facts)
    // Labels that images bring are better than what their folders may mean.
    let isLabelled = options.labels == nil && given.names.contains(Layout.sourceLabel)
    facts = try ImageFacts(
      labels: try SourceLabels.make(
        isLabelled ? LabelSource.none : options.labels,
        classes: options.classes,
        numClasses: numClasses,
        keys: keys
      ),
      pictures: options.pictures.isEmpty ? nil : try PictureIndex(options.pictures),
      given: given,
      extents: try options.mapExtents.map { table throws(RelabelError) in try MapExtents(table) },
      hasLogNormalizer: options.logNormalizer,
      hasFactors: options.factors != nil
    )
    let imagesPerShard =
      traits.views.map { Self.rowsPerShard(of: $0, header, options) } ?? options.imagesPerShard
    var record = Self.record(header, options, imagesPerShard).merging(facts.record) { own, _ in own
    }
    if options.centres || traits.isCentred { record["centre"] = .bool(true) }
    if let settings = options.factors {
      record["factors"] = Self.record(of: header, quality: settings.quality)
    }
    self.options = record
    // Where rows keep the order of the source, none of them depends on those behind it.
    header.buildID = try Self.buildID(header, self.options, rowOrder == .source ? nil : listing)
    self.header = header
    assumptions = Self.assumptions(header, options, traits)
    self.imagesPerShard = imagesPerShard
    centres = options.centres
    factors = try options.factors.map { settings throws(RelabelError) in
      try FactorForm(header, settings)
    }
    budget = options.factors?.budget
    alternative = options.weighsFactors ? Self.alternative(header, options) : nil
    annotator = metadata.annotatorName
  }

  /// Takes a quality that was settled after all else.
  mutating func settle(quality: Double, listing: PendingImages?) throws(RelabelError) {
    header.factorQuality = quality
    factors = factors.map { FactorForm($0, quality: quality) }
    options["factors"] = Self.record(of: header, quality: quality)
    header.buildID = try Self.buildID(
      header,
      options,
      header.rowOrder == .source ? nil : listing
    )
  }

  private static func record(of header: ShardHeader, quality: Double) -> JSON {
    .object(["count": .integer(Int64(header.shape.topK)), "quality": .number(quality)])
  }

  /// Refuses what has no meaning where classes don't exclude each other.
  private static func checkIndependent(
    _ options: PackOptions,
    _ traits: SourceTraits
  ) throws(RelabelError) {
    if options.centres {
      throw RelabelError(
        .usage,
        "--centre shifts all logits of a cell alike, which only softmax does not notice: it does not go with"
          + " --classes-are independent"
      )
    }
    if options.logNormalizer || traits.columns.contains(where: { $0.name == Layout.logNormalizer })
    {
      throw RelabelError(
        .usage,
        "classes that don't exclude each other have no log_normalizer: leave it out with --classes-are independent"
      )
    }
  }

  /// The room for a key.
  private static func keyBytes(
    _ options: PackOptions,
    _ listing: PendingImages?
  ) throws(RelabelError) -> Int {
    let longest = listing.map { max($0.longestKey, 1) }
    guard let room = options.keyBytes else { return longest ?? Self.arrivingKeyBytes }
    if let longest, longest > room {
      throw RelabelError(
        .usage,
        "--key-bytes \(room) is less than the \(longest) bytes of the longest key"
      )
    }
    return room
  }

  private static func orientation(
    _ options: PackOptions,
    _ traits: SourceTraits
  ) throws(RelabelError) -> Orientation {
    guard let own = traits.orientation else {
      return options.orientation ?? (traits.isReLabelDialect ? .unknown : .yx)
    }
    guard let given = options.orientation, given != own else { return own }
    throw RelabelError(
      .usage,
      "the stream's header says that the orientation is \(own.rawValue), --orientation says \(given.rawValue)"
    )
  }

  private static func rowOrder(
    _ asked: RowOrder?,
    _ traits: SourceTraits,
    isListed: Bool
  ) throws(RelabelError) -> RowOrder {
    if let order = traits.views?.rowOrder {
      guard asked == nil || asked == order || asked == .source else {
        throw RelabelError(
          .usage,
          "the views come in the order '\(order)', and are not packed in another: leave --row-order out"
        )
      }
      return asked ?? order
    }
    if let asked, asked.isOfViews {
      throw RelabelError(
        .usage,
        "--row-order \(asked) is for labels of crops, and these are of images"
      )
    }
    if isListed { return asked ?? .shuffled(seed: 0) }
    if case .shuffled? = asked {
      throw RelabelError(
        .usage,
        "input that arrives through a pipe or a compressed tar can't be shuffled: unpack it, or "
          + "use --row-order source"
      )
    }
    return .source
  }

  /// `temperature` and `map_extent` of the annotator document become attributes of their own.
  private static func copyGeometry(
    of annotator: JSON?,
    to header: inout ShardHeader
  ) throws(RelabelError) {
    if let value = annotator?["temperature"] {
      guard let temperature = value.number, temperature > 0 else {
        throw RelabelError(
          .usage,
          "'temperature' of the annotator document is not a positive number"
        )
      }
      header.temperature = temperature
    }
    if let value = annotator?["map_extent"] {
      // As the attribute will hold them.
      let sides = value.array?.compactMap(\.number).map { Double(Float($0)) } ?? []
      guard let extent = CropBox(components: sides) else {
        throw RelabelError(
          .usage,
          "'map_extent' of the annotator document is not [top, left, height, width] in 0 … 1"
        )
      }
      header.mapExtent = extent
    }
  }

  private static func checkSizes(_ header: ShardHeader) throws(RelabelError) {
    let entryBytes = 4
    let bytes = header.imagesPerChunk.multipliedReportingOverflow(
      by: header.shape.entries * entryBytes
    )
    if bytes.overflow || bytes.partialValue > 16 << 20 {
      throw RelabelError(
        .usage,
        "--images-per-chunk \(header.imagesPerChunk) makes chunks of more than 16 MiB"
      )
    }
  }
}
