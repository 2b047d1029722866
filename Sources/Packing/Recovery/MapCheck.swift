import HDF5
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
      let reason =
        isUnwritten(ids[entries], scores[entries])
        ? "it was never written [V007]"
        : rules.faults(ids.span.extracting(entries), scores.span.extracting(entries)).words
      guard let reason else { continue }
      let place = Location.Cell(y: cell / shape.width, x: cell % shape.width)
      return RowFault(.map, reason, cell: place)
    }
    return nil
  }

  private func isUnwritten(_ ids: ArraySlice<UInt32>, _ scores: ArraySlice<Float>) -> Bool {
    ids.contains(unwrittenID) || scores.contains { $0.bitPattern == Self.unwrittenScore }
  }
}

extension CellFaults {
  /// The first of the faults in words, or nil.
  fileprivate var words: String? {
    let words: [(CellFaults, String)] = [
      (.classOutOfRange, "a class id is not below num_classes [V001]"),
      (.duplicateClass, "the class ids of a cell are not distinct [V002]"),
      (.notFinite, "a score is not finite [V003]"),
      (.outOfOrder, "the entries of a cell are not in order [V004]"),
      (.probabilityRange, "a score is no probability [V005]"),
      (.probabilitySum, "the probabilities of a cell sum to more than 1 [V006]"),
    ]
    return words.first { contains($0.0) }?.1
  }
}
