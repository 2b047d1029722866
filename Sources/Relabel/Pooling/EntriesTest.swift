/// Refuses maps that no reader would hand out, before they are pooled: their targets would be no
/// probabilities, and nothing else would say so.
struct EntriesTest: Sendable {
  private let shape: MapShape
  private let wide: SoundMap
  private let narrow: SoundMap
  private let rules: CellRules

  init(_ shape: MapShape, numClasses: Int) {
    self.shape = shape
    let form = MapForm(inMemory: shape, numClasses: numClasses)
    wide = SoundMap(form)
    narrow = SoundMap(MapForm(inMemory: shape, numClasses: numClasses, hasWideIDs: false))
    // Logits in any order: what else a score kind asks for, its targets survive.
    rules = CellRules(numClasses: numClasses, kind: .logit, encoding: form.encoding, order: nil)
  }

  /// Looks at all cells of a map.
  ///
  /// - Throws: `.invalidInput` naming the first cell whose ids are too high or not distinct, or whose
  ///   scores are not finite.
  func check<ID>(_ map: MapEntries<ID>) throws(RelabelError) {
    let test = MemoryLayout<ID>.size == 2 ? narrow : wide
    if map.shape == shape, test.contains(map.classIndex, map.score, entries: shape.entries) {
      return
    }
    for start in stride(from: 0, to: map.shape.entries, by: map.shape.topK) {
      let entries = start..<start + map.shape.topK
      let (ids, scores) = (
        entries.map { UInt32(map.classIndex[$0]) }, entries.map { map.score[$0] }
      )
      guard let kind = rules.faults(ids.span, scores.span).kinds.first else { continue }
      let place = map.shape.cell(at: start)
      throw RelabelError(
        .invalidInput,
        rules.message(kind.fault, ids, scores),
        at: Location(cell: .init(y: place.y, x: place.x))
      )
    }
  }
}
