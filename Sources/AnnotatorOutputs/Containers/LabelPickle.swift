import Relabel

/// A stack machine for the pickles that label lists lie in: what `torch.save`, `pickle` and joblib write of lists of
/// tensors, NumPy arrays and plain values.
///
/// As `TorchPickle`, it never calls anything, and knows no name beyond those of tensors and of NumPy's arrays and
/// numbers. Lists may be long here, so that what counts is the memory that values take (`maximumRoom`), and time
/// grows with the pickle's bytes only. A list that is named twice reads as in Python, where it was complete at the
/// second time; one that grows later is refused.
struct LabelPickle {
  /// Bytes of a pickle that are read: index lists of hundreds of epochs are long.
  static let maximumBytes: Int = 96 << 20
  private static let maximumRoom = 96 << 20
  private static let maximumStack = 1 << 16
  private static let maximumDepth: UInt8 = 16
  /// From this length on a list of integers is kept packed.
  private static let packedFrom = 64

  private struct Slot {
    var value: PickleValue
    /// Containers that lie within one another.
    var depth: UInt8 = 0
    /// Where a list under construction goes in the memo when it is complete.
    var memoPlace: Int?
    /// True for a list that the memo holds, too.
    var isShared = false
  }

  private enum Memorised {
    case value(Slot)
    /// A container in this place of the stack, which may be complete or not.
    case onStack(Int)
  }

  private var cursor: ByteCursor
  private var stack: [Slot] = []
  private var marks: [Int] = []
  private var memo: [Memorised] = []
  private var room = Self.maximumRoom

  /// Reads the pickle that starts at `position`.
  ///
  /// - Returns: its value and where it ends.
  /// - Throws: `.unsafeInput` for a pickle that calls something, or takes more memory than any list does;
  ///   `.invalidInput` for one that is damaged.
  static func read(
    _ bytes: [UInt8],
    at position: Int = 0
  ) throws(RelabelError) -> (value: PickleValue, end: Int) {
    let end = min(bytes.count, position + maximumBytes)
    var machine = LabelPickle(
      cursor: ByteCursor(bytes, from: position, to: end, subject: "the pickle")
    )
    return (try machine.run(), machine.cursor.position)
  }

  private init(cursor: ByteCursor) { self.cursor = cursor }

  private mutating func run() throws(RelabelError) -> PickleValue {
    while true {
      let opcode = try cursor.byte()
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else { throw malformed }
        return stack[0].value
      }
      try step(opcode)
      guard stack.count <= Self.maximumStack, marks.count <= Self.maximumStack else {
        throw RelabelError(.unsafeInput, "the pickle stacks more values than any label list needs")
      }
    }
  }

  private mutating func step(_ opcode: UInt8) throws(RelabelError) {
    if let literal = try cursor.pickleLiteral(opcode) {
      switch literal {
      case .string(let text): try charge(text.utf8.count)
      case .bytes(let bytes), .bigInteger(let bytes): try charge(bytes.count)
      default: break
      }
      stack.append(Slot(value: literal))
      return
    }
    switch opcode {
    case 0x80:
      let version = try cursor.byte()
      guard (2...5).contains(version) else {
        throw RelabelError(.invalidInput, "the pickle has protocol \(version); 2 to 5 are read")
      }
    case 0x95: _ = try cursor.length(8)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): stack.append(Slot(value: .tuple([])))
    case UInt8(ascii: "}"): stack.append(Slot(value: .dictionary([])))
    case UInt8(ascii: "]"): stack.append(Slot(value: .list([])))
    case UInt8(ascii: "t"): try pushTuple(popToMark())
    case 0x85: try pushTuple(pop(1))
    case 0x86: try pushTuple(pop(2))
    case 0x87: try pushTuple(pop(3))
    case UInt8(ascii: "a"): try extendList(with: pop(1))
    case UInt8(ascii: "e"): try extendList(with: popToMark())
    case UInt8(ascii: "s"): try extendDictionary(with: pop(2))
    case UInt8(ascii: "u"): try extendDictionary(with: popToMark())
    case UInt8(ascii: "q"): try remember(Int(try cursor.unsigned(1)))
    case UInt8(ascii: "r"): try remember(Int(try cursor.unsigned(4)))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(Int(try cursor.unsigned(1)))
    case UInt8(ascii: "j"): try recall(Int(try cursor.unsigned(4)))
    default: try stepObject(opcode)
    }
  }

  private mutating func stepObject(_ opcode: UInt8) throws(RelabelError) {
    switch opcode {
    case UInt8(ascii: "c"):
      let (module, name) = (try cursor.line(), try cursor.line())
      try pushGlobal(
        String(decoding: cursor.bytes[module], as: UTF8.self),
        String(decoding: cursor.bytes[name], as: UTF8.self)
      )
    case 0x93:
      let words = try pop(2)
      guard case .string(let module) = words[0].value, case .string(let name) = words[1].value
      else { throw malformed }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"):
      stack.append(
        Slot(value: .storage(try TorchPickle.storage(pop(1)[0].value, takesBool: true)))
      )
    case UInt8(ascii: "R"):
      let call = try pop(2)
      stack.append(Slot(value: try Self.call(call[0].value, call[1].value)))
    case UInt8(ascii: "b"):
      let parts = try pop(2)
      let built = try Self.build(parts[0].value, parts[1].value)
      if case .array(let array) = built { try charge(array.bytes.count) }
      var slot = Slot(value: built)
      slot.memoPlace = parts[0].memoPlace
      complete(&slot)
      stack.append(slot)
    case UInt8(ascii: "i"), UInt8(ascii: "o"), 0x81, 0x92, 0x82, 0x83, 0x84:
      throw RelabelError(
        .unsafeInput,
        "the pickle makes an object of its own; it was not executed: label lists hold tensors, arrays and numbers only"
      )
    default:
      throw RelabelError(
        .invalidInput,
        "the pickle has opcode \(opcode) at byte \(cursor.position - 1), which no label list needs"
      )
    }
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(RelabelError) {
    stack.append(Slot(value: .global(try PickleGlobal(ofListModule: module, name: name))))
  }

  private mutating func charge(_ bytes: Int) throws(RelabelError) {
    room -= bytes
    guard room >= 0 else {
      throw RelabelError(
        .unsafeInput,
        "the pickle's values take more than \(Self.maximumRoom >> 20) MiB of memory; no label list's do"
      )
    }
  }

  private mutating func pushTuple(_ items: [Slot]) throws(RelabelError) {
    let (values, depth) = try contents(items)
    stack.append(Slot(value: .tuple(values), depth: depth))
  }

  /// The values of slots that go into a container, and its depth.
  private mutating func contents(
    _ items: [Slot]
  ) throws(RelabelError) -> (values: [PickleValue], depth: UInt8) {
    try charge(items.count * MemoryLayout<PickleValue>.stride)
    var depth: UInt8 = 0
    var values: [PickleValue] = []
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
  private mutating func complete(_ slot: inout Slot) {
    guard let place = slot.memoPlace else { return }
    slot.memoPlace = nil
    memo[place] = .value(Slot(value: slot.value, depth: slot.depth, isShared: true))
  }

  private mutating func pop(_ count: Int) throws(RelabelError) -> [Slot] {
    // Below the last mark nothing may be taken, as in Python.
    guard stack.count - (marks.last ?? 0) >= count else { throw malformed }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws(RelabelError) -> [Slot] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw malformed }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  /// The container on top of the stack, which is put back when it has grown.
  private mutating func popGrowing() throws(RelabelError) -> Slot {
    guard stack.count > (marks.last ?? 0), let slot = stack.popLast() else { throw malformed }
    guard !slot.isShared else {
      throw RelabelError(
        .invalidInput,
        "the pickle adds to a list that is used twice, which no label list needs"
      )
    }
    return slot
  }

  private mutating func extendList(with items: [Slot]) throws(RelabelError) {
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
      try charge(list.count * MemoryLayout<PickleValue>.stride)
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

  private mutating func extendDictionary(with items: [Slot]) throws(RelabelError) {
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

  private mutating func remember(_ place: Int) throws(RelabelError) {
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

  private mutating func recall(_ place: Int) throws(RelabelError) {
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

  private var malformed: RelabelError {
    RelabelError(.invalidInput, "the pickle is malformed at byte \(cursor.position)")
  }
}

extension PickleValue {
  /// The elements of a list, packed or not, or nil.
  var items: [PickleValue]? {
    switch self {
    case .list(let items): items
    case .integers(let numbers): numbers.map { .int(Int($0)) }
    default: nil
    }
  }

  /// About the bytes that copies of the elements would take.
  fileprivate var weight: Int {
    switch self {
    case .tuple(let items), .list(let items), .dictionary(let items):
      items.reduce(items.count * MemoryLayout<PickleValue>.stride) { $0 + $1.weight }
    case .integers(let numbers): numbers.count * 4
    default: 0
    }
  }
}
