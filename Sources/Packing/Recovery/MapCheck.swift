import Relabel

/// Looks for the first cell of a map that breaks a rule (spec, section 7).
struct MapCheck: Sendable {
  private let shape: MapShape
  private let codec: MapCodec
  private let rules: CellRules
  private let unwrittenID: UInt32
  /// What the codec gives for a score that was never written.
  private static let unwrittenScore = Float.nan.bitPattern

  init(_ header: ShardHeader) {
    shape = header.shape
    codec = MapCodec(header)
    rules = header.cellRules(order: header.cellOrder)
    unwrittenID = header.classIndexType == .uint16 ? 0xFFFF : .max
  }

  /// The fault of a row, from its stored bytes.
  func fault(_ classIndex: ArraySlice<UInt8>, _ score: ArraySlice<UInt8>) -> RowFault? {
    let (ids, scores) = (codec.classIndex(classIndex), codec.score(score))
    for cell in 0..<shape.cells {
      let entries = cell * shape.topK..<(cell + 1) * shape.topK
      let rule =
        isUnwritten(ids[entries], scores[entries])
        ? .v007
        : rules.faults(ids.span.extracting(entries), scores.span.extracting(entries)).firstRule
      guard let rule else { continue }
      let place = Location.Cell(y: cell / shape.width, x: cell % shape.width)
      return RowFault(.map, rule, Self.words(rule), cell: place)
    }
    return nil
  }

  private func isUnwritten(_ ids: ArraySlice<UInt32>, _ scores: ArraySlice<Float>) -> Bool {
    ids.contains(unwrittenID) || scores.contains { $0.bitPattern == Self.unwrittenScore }
  }

  /// What a broken rule says of a row, the same for all of them.
  private static func words(_ rule: Rule) -> String {
    switch rule {
    case .v001: "a class id is not below num_classes"
    case .v002: "the class ids of a cell are not distinct"
    case .v003: "a score is not finite"
    case .v004: "the entries of a cell are not in order"
    case .v005: "a score is no probability"
    case .v006: "the probabilities of a cell sum to more than 1"
    case .v007: "it was never written"
    default: rule.title
    }
  }
}
