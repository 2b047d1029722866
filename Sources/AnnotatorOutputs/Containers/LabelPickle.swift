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
  static let maximumBytes: Int = 64 << 20
  /// Bytes of memory that the values may take.
  static let maximumRoom = 64 << 20
  private static let maximumStack = 1 << 16
  /// Containers that may lie within one another.
  static let maximumDepth: UInt8 = 16
  /// From this length on a list of integers is kept packed.
  static let packedFrom = 64

  /// A value on the stack.
  struct Slot {
    var value: ListValue
    /// Containers that lie within one another.
    var depth: UInt8 = 0
    /// Where a list under construction goes in the memo when it is complete.
    var memoPlace: Int?
    /// True for a list that the memo holds, too.
    var isShared = false
  }

  /// What a place of the memo holds.
  enum Memorised {
    case value(Slot)
    /// A container in this place of the stack, which may be complete or not.
    case onStack(Int)
  }

  private var cursor: ByteCursor
  var stack: [Slot] = []
  var marks: [Int] = []
  var memo: [Memorised] = []
  var room = Self.maximumRoom

  /// Reads the pickle that starts at `position`.
  ///
  /// - Returns: its value and where it ends.
  /// - Throws: `.unsafeInput` for a pickle that calls something, or takes more memory than any list does;
  ///   `.invalidInput` for one that is damaged.
  static func read(
    _ bytes: [UInt8],
    at position: Int = 0
  ) throws(RelabelError) -> (value: ListValue, end: Int) {
    let end = min(bytes.count, position + maximumBytes)
    var machine = LabelPickle(
      cursor: ByteCursor(bytes, from: position, to: end, subject: "the pickle")
    )
    return (try machine.run(), machine.cursor.position)
  }

  private init(cursor: ByteCursor) { self.cursor = cursor }

  private mutating func run() throws(RelabelError) -> ListValue {
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
        Slot(value: .storage(try TorchPickle.storage(pop(1)[0].value.ofTensor ?? PickleValue.none)))
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
    stack.append(Slot(value: .global(try ListGlobal(module: module, name: name))))
  }

  var malformed: RelabelError {
    RelabelError(.invalidInput, "the pickle is malformed at byte \(cursor.position)")
  }
}
