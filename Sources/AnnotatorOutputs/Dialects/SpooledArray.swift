import Relabel

/// The maps of a file that is read front to back, spooled.
final class SpooledArray: Sendable {
  let file: OpenFile
  let shape: MapShape
  let classOffset: Int
  let scoreOffset: Int
  /// What the name of the array says about the scores.
  let scoreKind: ScoreKind?
  /// Classes of the dense maps that these were reduced from.
  let denseClasses: Int?
  /// Classes to keep of sparse maps; nil for all.
  let topK: Int?
  /// True where class 0 of sparse maps is the background.
  let isBackgroundFirst: Bool
  /// The dialect that the maps come from.
  let dialect: String
  /// What shows that they do.
  let evidence: String?
  /// Where the scores of all classes of some dense maps are kept, by row.
  let wholeRows: [Int: Int]
  /// Where the logarithms of the sums over all classes are, where they are wanted.
  let normalizerOffset: Int?

  init(
    file: OpenFile,
    shape: MapShape,
    classOffset: Int,
    scoreOffset: Int,
    scoreKind: ScoreKind?,
    denseClasses: Int?,
    topK: Int?,
    wholeRows: [Int: Int] = [:],
    normalizerOffset: Int? = nil,
    isBackgroundFirst: Bool = false,
    dialect: String,
    evidence: String?
  ) {
    self.file = file
    self.shape = shape
    self.classOffset = classOffset
    self.scoreOffset = scoreOffset
    self.scoreKind = scoreKind
    self.denseClasses = denseClasses
    self.topK = topK
    self.isBackgroundFirst = isBackgroundFirst
    (self.dialect, self.evidence) = (dialect, evidence)
    self.wholeRows = wholeRows
    self.normalizerOffset = normalizerOffset
  }
}

extension SpooledArray: MapDescription {
  var traits: MapTraits {
    MapTraits(
      denseClasses: denseClasses,
      scoreKind: scoreKind,
      dialect: dialect,
      evidence: evidence
    )
  }

  /// Loads the row whose number is the region's offset.
  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    let entries = shape.entries
    let place = region.offset * entries * 4
    let map = LabelMap(
      shape: shape,
      classIndex: try file.values(at: classOffset + place, count: entries, as: UInt32.self),
      score: try file.values(at: scoreOffset + place, count: entries, as: Float.self)
    )
    let foreground = isBackgroundFirst ? try SparseMap.withoutBackground(map) : map
    var loaded = LoadedMap(try SparseMap.keepingBest(topK, of: foreground))
    loaded.isFromAllClasses = denseClasses != nil
    if let normalizerOffset {
      let place = normalizerOffset + region.offset * shape.cells * 4
      loaded.logNormalizer = try file.values(at: place, count: shape.cells, as: Float.self)
    }
    if let denseClasses, let offset = wholeRows[region.offset] {
      let values = try file.values(at: offset, count: denseClasses * shape.cells, as: Float.self)
      loaded.dense = DenseMap(classes: denseClasses, shape: shape, score: values)
    }
    return loaded
  }

  static func == (a: SpooledArray, b: SpooledArray) -> Bool { a === b }

  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
