import Relabel

extension LabelPickle {
  mutating func charge(_ bytes: Int) throws(RelabelError) {
    room -= bytes
    guard room >= 0 else {
      throw RelabelError(
        .unsafeInput,
        "the pickle's values take more than \(Self.maximumRoom >> 20) MiB of memory; no label list's do"
      )
    }
  }

  mutating func pushTuple(_ items: [Slot]) throws(RelabelError) {
    let (values, depth) = try contents(items)
    stack.append(Slot(value: .tuple(values), depth: depth))
  }

  /// The values of slots that go into a container, and its depth.
  mutating func contents(
    _ items: [Slot]
  ) throws(RelabelError) -> (values: [ListValue], depth: UInt8) {
    try charge(items.count * MemoryLayout<ListValue>.stride)
    var depth: UInt8 = 0
    var values: [ListValue] = []
    values.reserveCapacity(items.count)
    for var item in items {
      complete(&item)
      depth = max(depth, item.depth)
      values.append(item.value)
    }
    guard depth < Self.maximumDepth else {
      throw RelabelError(.unsafeInput, "the pickle nests deeper than any label list does")
    }
    return (values, depth + 1)
  }

  /// Gives the memo a container that nothing is added to any more.
  mutating func complete(_ slot: inout Slot) {
    guard let place = slot.memoPlace else { return }
    slot.memoPlace = nil
    memo[place] = .value(Slot(value: slot.value, depth: slot.depth, isShared: true))
  }

  mutating func pop(_ count: Int) throws(RelabelError) -> [Slot] {
    // Below the last mark nothing may be taken, as in Python.
    guard stack.count - (marks.last ?? 0) >= count else { throw malformed }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  mutating func popToMark() throws(RelabelError) -> [Slot] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw malformed }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  /// The container on top of the stack, which is put back when it has grown.
  mutating func popGrowing() throws(RelabelError) -> Slot {
    guard stack.count > (marks.last ?? 0), let slot = stack.popLast() else { throw malformed }
    guard !slot.isShared else {
      throw RelabelError(
        .invalidInput,
        "the pickle adds to a list that is used twice, which no label list needs"
      )
    }
    return slot
  }

  mutating func extendList(with items: [Slot]) throws(RelabelError) {
    var slot = try popGrowing()
    if let numbers = Self.integers(items) {
      switch slot.value {
      case .integers(var packed):
        slot.value = .none
        try charge(numbers.count * 4)
        packed += numbers
        slot.value = .integers(packed)
        return stack.append(slot)
      case .list(let list) where list.isEmpty && numbers.count >= Self.packedFrom:
        try charge(numbers.count * 4)
        slot.value = .integers(numbers)
        slot.depth = 1
        return stack.append(slot)
      default: break
      }
    }
    let (values, depth) = try contents(items)
    guard var list = slot.value.items else { throw malformed }
    if case .integers = slot.value {
      try charge(list.count * MemoryLayout<ListValue>.stride)
    }
    slot.value = .none
    list += values
    slot.value = .list(list)
    slot.depth = max(slot.depth, depth)
    stack.append(slot)
  }

  private static func integers(_ items: [Slot]) -> [Int32]? {
    var numbers: [Int32] = []
    numbers.reserveCapacity(items.count)
    for item in items {
      guard case .int(let value) = item.value, let number = Int32(exactly: value) else {
        return nil
      }
      numbers.append(number)
    }
    return numbers
  }

  mutating func extendDictionary(with items: [Slot]) throws(RelabelError) {
    var slot = try popGrowing()
    let (values, depth) = try contents(items)
    guard case .dictionary(var members) = slot.value, values.count.isMultiple(of: 2) else {
      throw malformed
    }
    slot.value = .none
    members += values
    slot.value = .dictionary(members)
    slot.depth = max(slot.depth, depth)
    stack.append(slot)
  }

  mutating func remember(_ place: Int) throws(RelabelError) {
    // Places are numbered as they come; a far one would only be there to take memory.
    guard let top = stack.indices.last, place <= memo.count else { throw malformed }
    if place == memo.count {
      try charge(MemoryLayout<Memorised>.stride)
      memo.append(.onStack(top))
    }
    switch stack[top].value {
    case .list, .dictionary, .integers, .blankArray:
      guard stack[top].memoPlace == nil, !stack[top].isShared else { throw malformed }
      stack[top].memoPlace = place
      memo[place] = .onStack(top)
    default: memo[place] = .value(stack[top])
    }
  }

  mutating func recall(_ place: Int) throws(RelabelError) {
    guard memo.indices.contains(place) else { throw malformed }
    let known: Slot
    switch memo[place] {
    case .value(let slot): known = slot
    case .onStack(let index):
      guard stack.indices.contains(index), stack[index].memoPlace == place else { throw malformed }
      stack[index].memoPlace = nil
      stack[index].isShared = true
      known = stack[index]
      memo[place] = .value(known)
    }
    // What a container holds was charged once; each further use could be copied.
    if known.depth > 0 { try charge(known.value.weight) }
    stack.append(known)
  }
}
