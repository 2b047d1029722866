import Relabel

/// A stack machine for the pickles that `torch.save` writes.
///
/// It knows the opcodes that protocols 2 to 5 use for a tensor, builds values and never calls
/// anything: the two calls a tensor needs are recognised by name and replaced.
struct TorchPickle {
  let grammar: PickleGrammar
  private(set) var cursor: ByteCursor
  var stack: [PickleValue] = []
  private var marks: [Int] = []
  var memo: [PickleValue] = []
  /// How many drafts were begun.
  var drafts = 0
  /// True when a frame was announced, whose length depends on what lies behind the pickle.
  private var hasFrames = false

  /// Reads the pickle that starts at `position`.
  ///
  /// - Returns: its value and where it ends.
  static func read(
    _ bytes: [UInt8],
    at position: Int = 0,
    _ grammar: PickleGrammar = .tensors
  ) throws(RelabelError) -> (value: PickleValue, end: Int) {
    if !grammar.allowsArrays, let known = KnownPickles.value(bytes, at: position) { return known }
    let end = min(bytes.count, position + grammar.maximumBytes)
    var machine = TorchPickle(
      ByteCursor(bytes, from: position, to: end, subject: "the pickle"),
      grammar
    )
    machine.stack.reserveCapacity(16)
    machine.memo.reserveCapacity(16)
    let value = try machine.run()
    if !machine.hasFrames, !grammar.allowsArrays {
      KnownPickles.add(bytes[position..<machine.cursor.position], value)
    }
    return (value, machine.cursor.position)
  }

  private init(_ cursor: ByteCursor, _ grammar: PickleGrammar) {
    (self.cursor, self.grammar) = (cursor, grammar)
  }

  private mutating func run() throws(RelabelError) -> PickleValue {
    for _ in 0..<grammar.maximumOpcodes {
      let opcode = try cursor.byte()
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else { throw malformed }
        return stack[0]
      }
      try step(opcode)
      guard stack.count <= grammar.maximumStack, marks.count <= grammar.maximumStack else {
        throw RelabelError(.unsafeInput, "the pickle stacks more values than any tensor needs")
      }
    }
    throw RelabelError(.unsafeInput, "the pickle is longer than any tensor's")
  }

  private mutating func step(_ opcode: UInt8) throws(RelabelError) {
    switch opcode {
    case 0x80:  // PROTO
      let version = try cursor.byte()
      guard (2...5).contains(version) else {
        throw RelabelError(.invalidInput, "the pickle has protocol \(version); 2 to 5 are read")
      }
    case 0x95:  // FRAME
      _ = try cursor.length(8)
      hasFrames = true
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.int(Int(try cursor.unsigned(1))))
    case UInt8(ascii: "M"): stack.append(.int(Int(try cursor.unsigned(2))))
    case UInt8(ascii: "J"): stack.append(.int(try cursor.signed(4)))
    case 0x8A: try pushLong()
    case UInt8(ascii: "G"): try pushFloat()
    case UInt8(ascii: "X"): try pushText(4)
    case 0x8C, UInt8(ascii: "U"): try pushText(1)
    case UInt8(ascii: "T"): try pushText(4)
    case 0x8D: try pushText(8)
    case UInt8(ascii: "C"): try pushBytes(1)
    case UInt8(ascii: "B"): try pushBytes(4)
    case 0x8E where grammar.allowsArrays, 0x96 where grammar.allowsArrays: try pushBytes(8)
    case PickleSkeleton.spanOpcode where grammar.hasSpans:
      stack.append(.span(offset: try cursor.signed(8), count: try cursor.signed(8)))
    default: try stepContainer(opcode)
    }
  }

  private mutating func stepContainer(_ opcode: UInt8) throws(RelabelError) {
    switch opcode {
    case UInt8(ascii: ")"): stack.append(.tuple([]))
    case UInt8(ascii: "}"): stack.append(.dictionary([]))
    case UInt8(ascii: "]"): stack.append(.list([]))
    case UInt8(ascii: "t"): try push(.tuple(try popToMark()))
    case 0x85: try push(.tuple(try pop(1)))
    case 0x86: try push(.tuple(try pop(2)))
    case 0x87: try push(.tuple(try pop(3)))
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
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw malformed
      }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"): stack.append(.storage(try Self.storage(pop())))
    case UInt8(ascii: "R"):
      let (arguments, function) = (try pop(), try pop())
      if let value = try arrayCall(function, arguments) {
        stack.append(value)
      } else {
        stack.append(try Self.call(function, arguments))
      }
    case UInt8(ascii: "b") where grammar.allowsArrays: try build()
    case UInt8(ascii: "b"), UInt8(ascii: "i"), UInt8(ascii: "o"), 0x81, 0x92, 0x82, 0x83, 0x84:
      throw RelabelError(
        .unsafeInput,
        "the pickle makes an object of its own; it was not executed: only tensors saved by torch.save"
          + " are read; \(TorchMend.oneTensor)"
      )
    default:
      throw RelabelError(
        .invalidInput,
        "the pickle has opcode \(opcode) at byte \(cursor.position - 1), which no tensor needs"
      )
    }
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(RelabelError) {
    if grammar.allowsArrays, let global = PickleGlobal(arrays: module, name) {
      stack.append(.global(global))
    } else {
      stack.append(.global(try PickleGlobal(module: module, name: name)))
    }
  }

  private mutating func pushText(_ width: Int) throws(RelabelError) {
    stack.append(.string(try cursor.text(cursor.length(width))))
  }

  private mutating func pushBytes(_ width: Int) throws(RelabelError) {
    stack.append(.bytes(Array(cursor.bytes[try cursor.take(cursor.length(width))])))
  }

  private mutating func pushFloat() throws(RelabelError) {
    stack.append(.float(Double(bitPattern: try cursor.unsigned(8).byteSwapped)))
  }

  private mutating func pushLong() throws(RelabelError) {
    let width = try cursor.length(1)
    if width > 8 {
      stack.append(.bigInteger(Array(cursor.bytes[try cursor.take(width)])))
    } else {
      stack.append(.int(try cursor.signed(width)))
    }
  }

  private mutating func push(_ container: PickleValue) throws(RelabelError) {
    // Releasing and comparing values recurses, so their depth has to stay small.
    guard container.isFlat(within: 8) else {
      throw RelabelError(.unsafeInput, "the pickle nests deeper than any tensor does")
    }
    stack.append(container)
  }

  mutating func pop() throws(RelabelError) -> PickleValue {
    // Below the last mark nothing may be taken, as in Python.
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else { throw malformed }
    return value
  }

  private mutating func pop(_ count: Int) throws(RelabelError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw malformed }
    let values = Array(stack.suffix(count))
    stack.removeLast(count)
    return values
  }

  private mutating func popToMark() throws(RelabelError) -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw malformed }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func extendList(with values: [PickleValue]) throws(RelabelError) {
    guard case .list(let items) = try pop() else { throw malformed }
    try push(.list(items + values))
  }

  private mutating func extendDictionary(with values: [PickleValue]) throws(RelabelError) {
    guard case .dictionary(let items) = try pop(), values.count.isMultiple(of: 2) else {
      throw malformed
    }
    try push(.dictionary(items + values))
  }

  private mutating func remember(_ place: Int) throws(RelabelError) {
    // Places are numbered as they come; a far one would only be there to take memory.
    guard let value = stack.last, place <= memo.count else { throw malformed }
    if place == memo.count { memo.append(value) } else { memo[place] = value }
  }

  private mutating func recall(_ place: Int) throws(RelabelError) {
    guard place < memo.count else { throw malformed }
    switch memo[place] {
    case .none, .bool, .int, .float, .string, .bytes, .bigInteger, .global, .storage,
      .orderedDictionary, .array, .arrayType, .span:
      stack.append(memo[place])
    case .draft: throw malformed
    case .tuple, .list, .dictionary, .tensor:
      // Values here are copies: a container named twice could differ from Python's, and tuples of
      // tuples could grow without end.
      throw RelabelError(.invalidInput, "the pickle uses a container twice, which no tensor needs")
    }
  }

  private var malformed: RelabelError {
    RelabelError(.invalidInput, "the pickle is malformed at byte \(cursor.position)")
  }
}
