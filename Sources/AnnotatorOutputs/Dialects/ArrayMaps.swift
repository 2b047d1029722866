import Relabel

/// Maps that lie as arrays in a file, with what their dialect says of them.
struct ArrayMaps: Hashable {
  /// What the arrays hold.
  enum Contents: Hashable {
    case sparse(scores: PlaneForm, ids: PlaneForm)
    case dense(PlaneForm, DenseLayout)
  }

  let dialect: String
  let contents: Contents
  var scoreKind: ScoreKind?
  /// True where the kind, or the number of classes, is only a convention.
  var isConvention = false
  var usualClasses: Int?
  var isReLabelDialect = false
  /// What shows that the file is of the dialect.
  var evidence = ""
  /// Where scores and ids are, in words.
  var order = StridedMap.idsBehind
  /// True where a map has to look like one of scores and class ids, because nothing else says so.
  var needsLikeness = false
  private let topK: Int?
  fileprivate let classes: Int?
  fileprivate let isBackgroundFirst: Bool

  init(_ dialect: String, _ contents: Contents, _ options: InputOptions, usualClasses: Int? = nil) {
    (self.dialect, self.contents, self.usualClasses) = (dialect, contents, usualClasses)
    topK = options.topK
    classes = options.numClasses ?? usualClasses
    isBackgroundFirst = options.isBackgroundFirst
  }

  /// Sparse maps, whose sizes are checked.
  static func sparse(
    _ dialect: String,
    scores: PlaneForm,
    ids: PlaneForm,
    _ options: InputOptions,
    usualClasses: Int? = nil
  ) throws(RelabelError) -> ArrayMaps {
    guard scores.sizes == ids.sizes, scores.rows == ids.rows else {
      throw RelabelError(
        .invalidInput,
        "the scores are \(scores.rows.map { [$0] } ?? [])\(scores.sizes), the class ids"
          + " \(ids.rows.map { [$0] } ?? [])\(ids.sizes): images, [k, H, W]"
      )
    }
    guard scores.scalar.isFloat else {
      throw RelabelError(.invalidInput, "scores are of \(scores.scalar.typeName), and not floating")
    }
    let sizes = scores.sizes
    if let fault = Limits.fault(height: sizes[1], width: sizes[2], topK: sizes[0]) {
      throw RelabelError(.invalidInput, fault)
    }
    return ArrayMaps(
      dialect,
      .sparse(scores: scores, ids: ids),
      options,
      usualClasses: usualClasses
    )
  }

  /// Dense maps, which are reduced to the best classes.
  static func dense(
    _ dialect: String,
    _ plane: PlaneForm,
    _ options: InputOptions
  ) throws(RelabelError) -> ArrayMaps {
    guard plane.scalar.isFloat else {
      throw RelabelError(
        .invalidInput,
        "a dense map is of float16, bfloat16, float32 or float64, and this is \(plane.scalar.typeName)"
      )
    }
    let plane = options.isBackgroundFirst ? try plane.withoutFirstClass() : plane
    let header = try NumPyHeader(.float32, shape: plane.sizes)
    return ArrayMaps(
      dialect,
      .dense(plane, try DenseLayout(header, options, isSettled: true)),
      options
    )
  }

  /// The maps of a file.
  func found(
    in file: ByteRegion,
    path: String,
    names: FoundMaps.Names? = nil
  ) -> FoundMaps {
    guard let rows else { return FoundMaps(SingleArrayMap(maps: self), file) }
    let batch = ArrayBatch(maps: self, file: file.slice(0, file.count, path: path))
    let bytes = rowBytes
    return FoundMaps(names ?? .rows, count: rows) { row in
      .map(batch, ByteRegion(storage: .rows, offset: row, count: bytes))
    }
  }

  /// How many images the arrays are of; nil for one without an axis for them.
  var rows: Int? {
    switch contents {
    case .sparse(let scores, _): scores.rows
    case .dense(let plane, _): plane.rows
    }
  }

  var rowBytes: Int {
    switch contents {
    case .sparse(let scores, let ids): scores.rowBytes + ids.rowBytes
    case .dense(let plane, _): plane.rowBytes
    }
  }

  var traits: MapTraits {
    var traits = MapTraits(
      scoreKind: scoreKind,
      isConvention: isConvention,
      usualClasses: usualClasses.map { isBackgroundFirst ? $0 - 1 : $0 },
      dialect: dialect,
      isReLabelDialect: isReLabelDialect
    )
    traits.evidence = evidence
    if case .dense(let plane, _) = contents { traits.denseClasses = plane.sizes[0] }
    return traits
  }

  func load(
    _ row: Int,
    of file: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    switch contents {
    case .sparse(let scores, let ids):
      let map = try sparse(
        scores.plane(row, of: file, path: path),
        ids.plane(row, of: file, path: path)
      )
      let foreground = isBackgroundFirst ? try SparseMap.withoutBackground(map) : map
      return LoadedMap(try SparseMap.keepingBest(topK, of: foreground))
    case .dense(let plane, let layout):
      let floats = StridedMap.dense(try plane.plane(row, of: file, path: path))
      return try layout.loaded(floats.withUnsafeBytes { Array($0) }, wantsDense: wantsDense)
    }
  }
}

extension ArrayMaps {
  private func sparse(
    _ scores: StridedPlane,
    _ ids: StridedPlane
  ) throws(RelabelError) -> LabelMap {
    let classes = classes.map { isBackgroundFirst ? $0 + 1 : $0 }
    do throws(RelabelError) {
      let map = try StridedMap.sparse(scores, ids, classes, order: order)
      if needsLikeness, !SparseMap.isLikely(map) {
        throw RelabelError(.invalidInput, "its class ids repeat, or its scores do not fall along k")
      }
      return map
    } catch {
      guard needsLikeness else { throw error }
      throw RelabelError(
        .invalidInput,
        "the array [2, \(scores.sizes.map(String.init).joined(separator: ", "))] looks like a label map of scores and"
          + " class ids saved as .npy, and its values do not (\(error.message)): say --dialect passl if it is one,"
          + " or save it with torch.save, or as an .npz of class_index and score; say --dialect array if it is a"
          + " batch of two dense maps",
        at: error.location
      )
    }
  }
}

/// The one map of a file or member; those of equal files share it.
struct SingleArrayMap: MapDescription {
  let maps: ArrayMaps

  var traits: MapTraits { maps.traits }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    try maps.load(0, of: region, wantsDense: wantsDense, path: path)
  }
}

/// The maps of one file, by the numbers of their rows.
final class ArrayBatch: MapDescription {
  let maps: ArrayMaps
  let file: ByteRegion

  init(maps: ArrayMaps, file: ByteRegion) { (self.maps, self.file) = (maps, file) }

  var traits: MapTraits { maps.traits }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    try maps.load(region.offset, of: file, wantsDense: wantsDense, path: path)
  }

  static func == (a: ArrayBatch, b: ArrayBatch) -> Bool { a === b }

  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
