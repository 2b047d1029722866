/// Compares the datasets of a shard with the layout that its root attributes call for
/// (spec, "Layout", "Score encodings").
struct LayoutInspection {
  let root: RootAttributes
  let report: (Violation) -> Void

  /// The shard's header and rows, or nil when the labels can't be decoded.
  func inspect(
    _ file: FileContents,
    _ found: [String: DatasetDescription]
  ) -> (header: ShardHeader, rows: Int)? {
    let known = Set((Layout.required + Layout.optional).map(\.name))
    for name in found.keys.sorted()
    where !known.contains(name) && !root.features.optional.contains(name) {
      fail(.l005, "there is no dataset of this name in format \(FormatVersion.newest)", name)
    }
    if found["log_normalizer"] != nil, root.scoreKind != .logit {
      fail(.l005, "only logits have a log_normalizer", "log_normalizer")
    }
    if found["log_normalizer"] != nil, root.classesAre == .independent {
      fail(.l005, "classes that don't exclude each other have no log_normalizer", "log_normalizer")
    }
    let views = ViewInspection(root: root, report: report)
    guard let viewFacts = views.inspect(file, found) else { return nil }
    let factors = FactorInspection(root: root, report: report)
    factors.inspect(found)
    for column in Layout.required where found[column.name] == nil {
      fail(.l005, "dataset '\(column.name)' is missing", column.name)
    }
    guard let ids = found[Layout.classIndex], let scores = found[Layout.score],
      found[Layout.imageIndex] != nil, let keys = found[Layout.imageKey]
    else { return nil }
    let attributes = file.datasets[Layout.score]?.object ?? ObjectContents()
    guard let encoding = EncodingInspection(report: report).inspect(attributes, scores) else {
      return nil
    }
    for column in Layout.required + Layout.optional {
      guard let description = found[column.name] else { continue }
      guard isTypeRight(column, description, encoding) else { return nil }
      guard isShapeRight(column, description, labels: ids.shape) else { return nil }
      inspectDetails(column, description, labels: ids)
      inspectAxes(file, column)
    }
    guard ids.shape == scores.shape, found.values.allSatisfy({ $0.shape.first == ids.shape[0] })
    else {
      fail(.l007, "the datasets have different shapes or numbers of rows", Layout.score)
      return nil
    }
    guard hasKnownFilters(found) else { return nil }
    guard ids.chunk == scores.chunk, Array(ids.chunk.dropFirst()) == Array(ids.shape.dropFirst())
    else { return nil }
    let shape = MapShape(height: ids.shape[1], width: ids.shape[2], topK: ids.shape[3])
    var header = header(shape, encoding, ids, scores, keyBytes: keys.type.size)
    if root.hasViews { header.views = viewFacts }
    header.factorQuality = factors.quality(file, rows: ids.shape[0])
    return (header, ids.shape[0])
  }

  private func fail(_ rule: Rule, _ message: String, _ dataset: String) {
    report(Violation(rule, message, at: Location(dataset: dataset)))
  }

  private func isTypeRight(
    _ column: Layout.Column,
    _ description: DatasetDescription,
    _ encoding: ScoreEncoding
  ) -> Bool {
    let expected: ElementType? =
      switch column.name {
      case Layout.classIndex: Layout.classIndexType(numClasses: root.numClasses)
      case Layout.score: encoding.elementType
      case Layout.imageKey, Layout.operations: nil
      default: column.types.first
      }
    if column.name == Layout.score, column.types.contains(description.type),
      description.type != encoding.elementType
    {
      let message = "encoding '\(encoding.name.rawValue)' does not store \(description.type)"
      fail(.l010, message, column.name)
      return false
    }
    if let expected, description.type != expected {
      fail(.l006, "the elements are \(description.type), not \(expected)", column.name)
      return false
    }
    if expected == nil {
      let (limit, what) =
        column.name == Layout.imageKey
        ? (ImageKey.maximumBytes, "keys") : (Layout.maximumOperationsBytes, "operations")
      guard case .utf8(let bytes) = description.type, bytes <= limit else {
        fail(.l006, "the elements are \(description.type), not \(what)", column.name)
        return false
      }
    }
    return true
  }

  private func isShapeRight(
    _ column: Layout.Column,
    _ description: DatasetDescription,
    labels: [Int]
  ) -> Bool {
    if column.rank == 4 {
      guard description.shape.count == 4,
        (1...Layout.maximumGridSide).contains(description.shape[1]),
        (1...Layout.maximumGridSide).contains(description.shape[2]),
        (1...min(Layout.maximumTopK, root.numClasses)).contains(description.shape[3])
      else {
        fail(.l007, "shape \(description.shape) is not [image, y, x, rank]", column.name)
        return false
      }
      return true
    }
    let map = MapShape(height: labels[1], width: labels[2], topK: labels[3])
    let tail = column.rowShape(map, numClasses: root.numClasses)
    guard Array(description.shape.dropFirst()) == tail, description.shape.first == labels.first
    else {
      fail(.l007, "shape \(description.shape) does not fit the labels' \(labels)", column.name)
      return false
    }
    return true
  }

  /// What a reader gets by with but every writer must do.
  private func inspectDetails(
    _ column: Layout.Column,
    _ description: DatasetDescription,
    labels: DatasetDescription
  ) {
    let growable: [Int?] = [nil] + description.shape.dropFirst().map(Optional.some)
    if description.maximumShape != growable {
      fail(.l011, "axis 0 must be unlimited and the other axes fixed", column.name)
    }
    let isLabel = column.rank == 4
    let isReadWithLabels = column.name == Layout.classFactor
    if Array(description.chunk.dropFirst()) != Array(description.shape.dropFirst())
      || (isLabel && description.chunk != labels.chunk)
      || (isReadWithLabels && description.chunk[0] != labels.chunk[0])
      || description.chunk[0] > Layout.maximumRowsPerChunk
    {
      fail(.l012, "chunks of \(description.chunk) do not hold whole images alike", column.name)
    }
    if (description.filters == [.fletcher32]) != (labels.filters == [.fletcher32]) {
      fail(.c004, "some datasets are compressed and some are not", column.name)
    }
    if !description.writesFillValue
      || description.fillValue != Layout.definedFillValue(description.type)
    {
      fail(.l009, "the fill value is not the one reserved for 'never written'", column.name)
    }
  }

  /// False, after a report, when a chain is none that can be undone.
  private func hasKnownFilters(_ found: [String: DatasetDescription]) -> Bool {
    var areKnown = true
    let optional = Set(Layout.optional.map(\.name))
    for column in Layout.required + Layout.optional {
      guard let filters = found[column.name]?.filters else { continue }
      // Optional datasets may be shuffled or not (spec, section 3.8).
      let shuffles = optional.contains(column.name) ? [true, false] : [column.isShuffled]
      let chains = shuffles.map {
        Layout.filters(isShuffled: $0, deflate: 0).map(\.description)
      }
      let chain = filters.map(\.description)
      if !chains.contains(chain) && filters != [.fletcher32] {
        fail(.c004, "the filter chain is '\(chain.joined(separator: ", "))'", column.name)
        areKnown = false
      }
    }
    return areKnown
  }

  private func inspectAxes(_ file: FileContents, _ column: Layout.Column) {
    let dataset = file.datasets[column.name]?.object ?? ObjectContents()
    let place = Location(dataset: column.name)
    let attributes = AttributeReader(dataset, rule: .l008, at: place, report: report)
    if root.version.isKnown {
      for name in attributes.names where !column.attributes.contains(name) && !name.hasPrefix("x-")
      {
        let message = "there is no attribute '\(name)' here; your own names start with 'x-'"
        attributes.fail(name == "_FillValue" ? .l009 : .l004, message)
      }
    }
    attributes.inspectVendors()
    if let axes = attributes.string("axes"), axes != column.axes {
      attributes.fail("attribute 'axes' is '\(axes)', not '\(column.axes)'")
    }
  }

  private func header(
    _ shape: MapShape,
    _ encoding: ScoreEncoding,
    _ ids: DatasetDescription,
    _ scores: DatasetDescription,
    keyBytes: Int
  ) -> ShardHeader {
    var header = ShardHeader(
      numClasses: root.numClasses,
      scoreKind: root.scoreKind,
      shape: shape,
      encoding: encoding,
      keyBytes: keyBytes,
      buildID: root.buildID,
      metadata: root.metadata
    )
    header.version = root.version
    header.features = root.features
    header.classesAre = root.classesAre
    header.fill = root.fill
    header.temperature = root.temperature
    header.cellOrder = root.cellOrder
    header.rowOrder = root.rowOrder
    header.orientation = root.orientation
    header.mapExtent = root.mapExtent
    header.writer = root.writer
    header.imagesPerChunk = ids.chunk[0]
    if let idLevel = ids.deflateLevel, let scoreLevel = scores.deflateLevel {
      header.compression = .deflate(classIndex: idLevel, others: scoreLevel)
    } else {
      header.compression = .none
    }
    return header
  }
}

extension DatasetDescription {
  fileprivate var deflateLevel: Int? {
    for case .deflate(let level) in filters { return level }
    return nil
  }
}
