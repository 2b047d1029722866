import Relabel

/// The labels of one view: class ids of 4 bytes and then scores, or the scores of all classes in their order.
struct ViewLabels {
  let scalar: NumPyScalar
  /// Entries.
  let count: Int
  let hasIDs: Bool
  /// Where the numbers lie.
  let bytes: [UInt8]
  let range: Range<Int>

  /// The labels of a row of two tables, or of one where all classes have scores.
  init(row: Int, scores: NumberTable, ids: [UInt32]?) throws(RelabelError) {
    let scalar: NumPyScalar
    switch scores.scalar {
    case .float16: scalar = .float16
    case .bfloat16: scalar = .bfloat16
    case .float32: scalar = .float32
    default:
      throw RelabelError(
        .invalidInput,
        "the scores are \(scores.scalar.typeName); float16, bfloat16 and float32 are read"
      )
    }
    let own = scores.byteRange(ofRow: row)
    if let ids {
      self.init(ids: ids, scores: scores.bytes[own], scalar)
    } else {
      self.init(scalar, scores.rowCount, hasIDs: false, scores.bytes, own)
    }
  }

  private init(
    _ scalar: NumPyScalar,
    _ count: Int,
    hasIDs: Bool,
    _ bytes: [UInt8],
    _ range: Range<Int>
  ) {
    (self.scalar, self.count, self.hasIDs) = (scalar, count, hasIDs)
    (self.bytes, self.range) = (bytes, range)
  }

  /// Class ids, and scores of float32.
  init(ids: [UInt32], scores: [Float]) {
    let bytes = scores.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    self.init(ids: ids, scores: bytes[...], .float32)
  }

  /// Class ids, and as many scores.
  init(ids: [UInt32], scores: ArraySlice<UInt8>, _ scalar: NumPyScalar) {
    let bytes = ids.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) } + scores
    self.init(scalar, ids.count, hasIDs: true, bytes, 0..<bytes.count)
  }

  /// What is loaded for the view.
  func payload(_ dialect: String, _ kind: ScoreKind?, _ topK: Int?) -> Payload {
    let map = ViewMap(
      dialect: dialect,
      count: count,
      scalar: scalar,
      hasIDs: hasIDs,
      kind: kind,
      topK: topK
    )
    let region = ByteRegion(
      storage: .memory(bytes),
      offset: range.lowerBound,
      count: range.count
    )
    return .map(map, region)
  }
}

/// The labels of a view as a map of one cell.
struct ViewMap: MapDescription {
  let dialect: String
  let count: Int
  let scalar: NumPyScalar
  let hasIDs: Bool
  let kind: ScoreKind?
  /// Classes to keep; nil for all.
  let topK: Int?

  var traits: MapTraits {
    MapTraits(denseClasses: hasIDs ? nil : count, scoreKind: kind, dialect: dialect)
  }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    if let fault = Limits.fault(height: 1, width: 1, topK: count) {
      throw RelabelError(.invalidInput, fault)
    }
    let bytes = try region.read(limit: Limits.memberBytes, path: path())
    let map = bytes.withUnsafeBytes { raw in
      let ids = (0..<count).map { entry in
        hasIDs
          ? UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * entry, as: UInt32.self))
          : UInt32(entry)
      }
      let scores = UnsafeRawBufferPointer(rebasing: raw[(hasIDs ? 4 * count : 0)...])
      return LabelMap(
        shape: MapShape(height: 1, width: 1, topK: count),
        classIndex: ids,
        score: NumPyValues.floats(scalar, scores, count)
      )
    }
    return LoadedMap(try SparseMap.keepingBest(topK, of: map))
  }
}
