import Relabel

extension StoredBatch.Form {
  /// What a person is told of it.
  var words: String {
    let mixing = mix == .none ? "without mixing" : "with \(mix.rawValue)"
    let ids = ids.map { " and ids of \($0.typeName)" } ?? ""
    return
      "\(slots.count) slots \(mixing), boxes of \(coords.typeName), \(entries) scores of \(scores.typeName)\(ids)"
  }
}

extension StoredBatch {
  /// The box of a row.
  func box(ofRow row: Int, isSwapped: Bool) -> ViewBox {
    let sides = coords.row(row)
    return isSwapped ? .swapped(sides.map { Float($0) }) : .fractions(sides)
  }

  /// What no column holds of a row.
  func operations(ofRow row: Int) -> [String: JSON]? {
    if let cutout {
      return ["cutout": .array(cutout.row(row).map(JSON.number))]
    }
    if let permutation {
      let numbers = permutation.row(row).map { Int64($0) }
      guard numbers.contains(where: { $0 != 0 }) else { return nil }
      let rows = [numbers[..<2], numbers[2...]]
      return ["permutation": .array(rows.map { .array($0.map(JSON.integer)) })]
    }
    guard !operations.isEmpty else { return nil }
    return [
      "rand_augment": .array(
        operations.map { operation in
          .array(
            [operation.index, operation.draw, operation.level].map { .number($0.number(row)) }
          )
        }
      ),
      "level_type": .array(operations.map { .string($0.level.scalar.typeName) }),
    ]
  }
}
