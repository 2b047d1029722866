import Relabel

/// The maps of an `.npz` file, spooled.
final class SpooledArray: Sendable {
  let file: OpenFile
  let shape: MapShape
  let classOffset: Int
  let scoreOffset: Int
  /// What the name of the file's member says about the scores.
  let scoreKind: ScoreKind?
  /// Classes of the dense maps that these were reduced from.
  let denseClasses: Int?
  /// Classes to keep of sparse maps; nil for all.
  let topK: Int?

  init(
    file: OpenFile,
    shape: MapShape,
    classOffset: Int,
    scoreOffset: Int,
    scoreKind: ScoreKind?,
    denseClasses: Int?,
    topK: Int?
  ) {
    self.file = file
    self.shape = shape
    self.classOffset = classOffset
    self.scoreOffset = scoreOffset
    self.scoreKind = scoreKind
    self.denseClasses = denseClasses
    self.topK = topK
  }
}

extension SpooledArray: MapDescription {
  var traits: MapTraits { MapTraits(denseClasses: denseClasses, scoreKind: scoreKind) }

  /// Loads the row whose number is the region's offset.
  func load(_ region: ByteRegion, path: () -> String) throws(RelabelError) -> LabelMap {
    let entries = shape.entries
    let place = region.offset * entries * 4
    let map = LabelMap(
      shape: shape,
      classIndex: try file.values(at: classOffset + place, count: entries, as: UInt32.self),
      score: try file.values(at: scoreOffset + place, count: entries, as: Float.self)
    )
    return try SparseMap.keepingBest(topK, of: map)
  }

  static func == (a: SpooledArray, b: SpooledArray) -> Bool { a === b }

  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
