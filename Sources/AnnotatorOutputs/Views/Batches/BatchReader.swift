import Relabel

/// Reads the slots of a stored batch, and says what is wrong with them.
struct BatchReader {
  private let items: [ListValue]
  private let slots: [BatchSlot]
  private let file: ListFile

  init(_ items: [ListValue], _ slots: [BatchSlot], _ file: ListFile) {
    (self.items, self.slots, self.file) = (items, slots, file)
  }

  private func value(_ slot: BatchSlot) throws(RelabelError) -> ListValue {
    guard let place = slots.firstIndex(of: slot), items.count == slots.count else {
      throw RelabelError(
        .invalidInput,
        "the batch has \(items.count) slots instead of \(slots.count)"
      )
    }
    return items[place]
  }

  private func wrong(_ slot: BatchSlot, _ what: String) -> RelabelError {
    RelabelError(
      .invalidInput,
      "slot \(slots.firstIndex(of: slot) ?? -1) of the batch, its \(slot.rawValue), \(what)"
    )
  }

  /// A table of a shape, whose nil sides may be of any length.
  func table(
    _ slot: BatchSlot,
    _ shape: [Int?],
    _ types: Set<TorchScalar>
  ) throws(RelabelError) -> NumberTable {
    try table(slot, value(slot), shape, types)
  }

  private func table(
    _ slot: BatchSlot,
    _ value: ListValue,
    _ shape: [Int?],
    _ types: Set<TorchScalar>
  ) throws(RelabelError) -> NumberTable {
    guard let table = try file.table(value) else { throw wrong(slot, "is no tensor") }
    guard table.shape.count == shape.count,
      zip(table.shape, shape).allSatisfy({ $0 == ($1 ?? $0) })
    else {
      let sides = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw wrong(slot, "is \(table.shape) instead of [\(sides)]")
    }
    guard types.contains(table.scalar) else {
      throw wrong(slot, "is of the type \(table.scalar.typeName)")
    }
    return table
  }

  func floats(_ slot: BatchSlot, _ shape: [Int?]) throws(RelabelError) -> NumberTable {
    try table(slot, shape, [.float16, .float32, .bfloat16])
  }

  private static let integers: Set<TorchScalar> = [.int64, .int32, .int16, .int8, .uint8]

  func integers(_ slot: BatchSlot, _ shape: [Int?]) throws(RelabelError) -> NumberTable {
    try table(slot, shape, Self.integers)
  }

  func integersOrNone(_ slot: BatchSlot, _ shape: [Int?]) throws(RelabelError) -> NumberTable? {
    try value(slot) == .none ? nil : integers(slot, shape)
  }

  /// The lambda, nil for None.
  func lambda() throws(RelabelError) -> Double? {
    switch try value(.lambda) {
    case .none: return nil
    case .float(let lambda): return lambda
    default: throw wrong(.lambda, "is neither None nor a float")
    }
  }

  /// The box, nil for None, what its sides are stored as, and the NumPy that they name.
  func box() throws(RelabelError) -> (box: [Int]?, type: String?, module: NumPyModule?) {
    let value = try value(.box)
    if value == .none { return (nil, nil, nil) }
    guard let sides = value.items, sides.count == 4 else {
      throw wrong(.box, "is neither None nor a list of 4")
    }
    var (numbers, types): ([Int], Set<String>) = ([], [])
    var module: NumPyModule?
    for side in sides {
      if case .int(let number) = side {
        numbers.append(number)
        types.insert("int")
        continue
      }
      let table = try table(.box, side, [], Self.integers)
      guard let number = Int32(exactly: table.number(0)) else {
        throw wrong(.box, "has a side of \(table.number(0)) pixels")
      }
      numbers.append(Int(number))
      module = module ?? table.module
      types.insert((table.module == nil ? "torch." : "numpy.") + table.scalar.typeName)
    }
    guard types.count == 1, let type = types.first else {
      throw wrong(.box, "mixes the types \(types.sorted().joined(separator: " and "))")
    }
    let isRight = numbers[0] >= 0 && numbers[0] <= numbers[2] && numbers[1] >= 0
    guard isRight, numbers[1] <= numbers[3], numbers[3] <= Int(Int32.max) else {
      throw wrong(.box, "is \(numbers), not top, left, bottom and right")
    }
    return (numbers, type, module)
  }

  /// The operations of a batch of `count` views.
  func operations(_ count: Int) throws(RelabelError) -> [StoredBatch.Operation] {
    guard let list = try value(.operations).items, (1...16).contains(list.count) else {
      throw wrong(.operations, "is not a list of operations")
    }
    var operations: [StoredBatch.Operation] = []
    for item in list {
      guard let parts = item.items, parts.count == 3 else {
        throw wrong(.operations, "has an operation without index, draw and level")
      }
      operations.append(
        StoredBatch.Operation(
          index: try table(.operations, parts[0], [count], [.int64]),
          draw: try table(.operations, parts[1], [count], [.float16]),
          level: try table(.operations, parts[2], [count], [.float16, .int64])
        )
      )
    }
    return operations
  }
}
