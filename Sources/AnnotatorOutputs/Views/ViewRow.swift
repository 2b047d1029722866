import Relabel

extension StoredView {
  /// The bytes of a column.
  ///
  /// - Parameters:
  ///   - column: which one.
  ///   - number: of the view within its image.
  ///   - fractions: the box.
  ///   - operationsBytes: how many a row of `operations` has.
  /// - Returns: the bytes; the fill value where the view has no value and may have none.
  /// - Throws: `.invalidInput` for a value that the column can't hold.
  func bytes(
    of column: Layout.Column,
    number: Int32,
    fractions: [Double]?,
    operationsBytes: Int
  ) throws(RelabelError) -> [UInt8] {
    switch column.name {
    case Layout.view: return Self.bytes([number])
    case Layout.viewBox: return Self.bytes((fractions ?? []).map(\.bitPattern))
    case Layout.viewFlip: return [isFlipped.map { $0 ? 1 : 0 } ?? 255]
    case Layout.viewSeed:
      guard let seed, seed != -1 else {
        throw RelabelError(
          .invalidInput,
          "the seed of the view is −1, which stands for 'never written' in 'view_seed'"
        )
      }
      return Self.bytes([seed])
    case Layout.replay:
      let numbers = replay.map { [$0.epoch, $0.batch, $0.slot] } ?? [-1, -1, -1]
      return Self.bytes(numbers.map(Int32.init(clamping:)))
    case Layout.mixupLambda: return Self.lambda(mixup)
    case Layout.mixupPartner: return Self.partner(mixup)
    case Layout.cutmixLambda: return Self.lambda(cutmix)
    case Layout.cutmixPartner: return Self.partner(cutmix)
    case Layout.cutmixBox:
      return Self.bytes((cutmix?.box ?? [-1, -1, -1, -1]).map(Int32.init(clamping:)))
    case Layout.operations: return try padded(operationsBytes)
    default:
      throw RelabelError(.internalFault, "views have no values of '\(column.name)'")
    }
  }

  private func padded(_ count: Int) throws(RelabelError) -> [UInt8] {
    guard let operations else { return [UInt8](repeating: 0, count: count) }
    let text = try JSON.object(operations).canonical()
    guard text.count <= count else {
      throw RelabelError(
        .invalidInput,
        "the operations of the view take \(text.count) bytes; \(count) were expected from the first views"
      )
    }
    return text + [UInt8](repeating: 0, count: count - text.count)
  }

  private static func lambda(_ mix: ViewMix?) -> [UInt8] {
    guard let mix else { return Layout.fillValue(.float64) }
    return bytes([mix.lambda.bitPattern])
  }

  private static func partner(_ mix: ViewMix?) -> [UInt8] {
    bytes([Int64(mix?.partner ?? -1), Int64(mix?.slot ?? -1)])
  }

  private static func bytes(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
    numbers.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
  }
}
