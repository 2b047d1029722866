import Relabel

/// A NumPy array, or one of its numbers, as a pickle describes it; nothing was called for it.
struct PickledArray: Hashable {
  /// Where the elements are.
  enum Data: Hashable {
    case bytes([UInt8])
    /// A part of the file that the pickle is read from.
    case span(offset: Int, count: Int)
  }

  let type: PickledArrayType
  /// Empty for a single number.
  let shape: [Int]
  let isFortran: Bool
  let data: Data

  /// Checks the size of the data against shape and type.
  init(
    _ type: PickledArrayType,
    shape: [Int],
    isFortran: Bool,
    _ data: Data
  ) throws(RelabelError) {
    let count =
      switch data {
      case .bytes(let bytes): bytes.count
      case .span(_, let count): count
      }
    guard let width = type.scalar.width, let needed = checkedProduct(of: shape + [width]) else {
      throw RelabelError(.invalidInput, "the array's shape \(shape) overflows")
    }
    guard needed == count else {
      throw RelabelError(
        .invalidInput,
        "the array's shape \(shape) needs \(needed) bytes, the pickle holds \(count)"
      )
    }
    (self.type, self.shape, self.isFortran, self.data) = (type, shape, isFortran, data)
  }

  /// How many elements lie between neighbours along each axis.
  var strides: [Int] {
    let sizes = isFortran ? shape : shape.reversed()
    var (strides, product) = ([Int](), 1)
    for size in sizes {
      strides.append(product)
      product *= max(size, 1)
    }
    return isFortran ? strides : strides.reversed()
  }
}

/// The element type of an array in a pickle.
struct PickledArrayType: Hashable {
  let scalar: NumPyScalar
  /// True for truth values, one byte each.
  let isBool: Bool

  /// - Parameters:
  ///   - name: what the type was made of, such as `f4`.
  ///   - order: its byte order: `<`, `>`, `=` or `|`.
  /// - Throws: `.invalidInput` for a type that is not read, `.unsafeInput` for objects.
  init(_ name: String, order: String) throws(RelabelError) {
    isBool = name == "b1"
    let text = isBool ? "u1" : name
    let hasOrder = !["u1", "i1"].contains(text) && text.first != "S"
    // A type that no order was said of has that of the machine, as in NumPy.
    let own = order == "=" || order == "|" ? "<" : order
    scalar = try NumPyScalar((hasOrder ? own : "|") + text)
  }
}

/// What a pickle may hold beside tensors, and how much of it.
struct PickleGrammar {
  /// True where NumPy's arrays and numbers are values, too.
  let allowsArrays: Bool
  /// True where long bytes were left in the file (`PickleSkeleton`).
  let hasSpans: Bool
  let maximumStack: Int
  let maximumOpcodes: Int
  let maximumBytes: Int

  /// One tensor, or two, as maps are saved.
  static let tensors: PickleGrammar = PickleGrammar(
    allowsArrays: false,
    hasSpans: false,
    maximumStack: 1024,
    maximumOpcodes: 4096,
    maximumBytes: Limits.headerBytes
  )

  /// Arrays and tensors in lists and dictionaries, which lie in memory.
  static let arrays: PickleGrammar = PickleGrammar(
    allowsArrays: true,
    hasSpans: false,
    maximumStack: 1 << 16,
    maximumOpcodes: 1 << 20,
    maximumBytes: Limits.memberBytes
  )

  /// Arrays whose elements stay in the file.
  static let spannedArrays: PickleGrammar = PickleGrammar(
    allowsArrays: true,
    hasSpans: true,
    maximumStack: 1 << 16,
    maximumOpcodes: 1 << 20,
    maximumBytes: PickleSkeleton.maximumBytes
  )
}

/// A value that a pickle makes in two steps; between them nothing may use it.
enum PickleDraft: Hashable {
  case array
  case arrayType(String)
}

extension TorchPickle {
  /// What a call of NumPy's would give, or nil for another call.
  mutating func arrayCall(
    _ function: PickleValue,
    _ arguments: PickleValue
  ) throws(RelabelError) -> PickleValue? {
    guard grammar.allowsArrays, case .global(let name) = function,
      case .tuple(let parts) = arguments
    else { return nil }
    switch name {
    case .rebuildArray:
      guard parts.count == 3, parts[0] == .global(.arrayClass) else { throw wronglyMade }
      return draft(.array)
    case .arrayTypeClass:
      guard parts.count == 1 || parts.count == 3, case .string(let text) = parts[0] else {
        throw wronglyMade
      }
      return draft(.arrayType(text))
    case .number:
      guard parts.count == 2, case .arrayType(let type) = parts[0], let data = Self.data(parts[1])
      else { throw wronglyMade }
      return .array(try PickledArray(type, shape: [], isFortran: false, data))
    case .arrayFromBuffer:
      guard parts.count == 4, let data = Self.data(parts[0]), case .arrayType(let type) = parts[1],
        let shape = Self.integers(parts[2]), case .string(let order) = parts[3],
        order == "C" || order == "F"
      else { throw wronglyMade }
      return .array(try PickledArray(type, shape: shape, isFortran: order == "F", data))
    case .encode:
      // Bytes of protocol 2: text, one character for each.
      guard parts.count == 2, case .string(let text) = parts[0], parts[1] == .string("latin1")
      else { throw wronglyMade }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.utf8.count)
      for scalar in text.unicodeScalars {
        guard let byte = UInt8(exactly: scalar.value) else { throw wronglyMade }
        bytes.append(byte)
      }
      return .bytes(bytes)
    default:
      return nil
    }
  }

  /// Completes the array or type on top of the stack with the state behind it.
  mutating func build() throws(RelabelError) {
    let state = try pop()
    guard case .draft(let number, let draft) = try pop(), case .tuple(let parts) = state else {
      throw wronglyMade
    }
    let value: PickleValue
    switch draft {
    case .arrayType(let name):
      guard parts.count >= 5, case .string(let order) = parts[1],
        parts[2...4].allSatisfy({ $0 == .none })
      else { throw wronglyMade }
      value = .arrayType(try PickledArrayType(name, order: order))
    case .array:
      guard parts.count == 5, let shape = Self.integers(parts[1]),
        case .arrayType(let type) = parts[2], let isFortran = Self.truth(parts[3]),
        let data = Self.data(parts[4])
      else { throw wronglyMade }
      value = .array(try PickledArray(type, shape: shape, isFortran: isFortran, data))
    }
    stack.append(value)
    // In Python the memo names the same object; it was noted shortly before.
    for place in memo.indices.suffix(64) {
      if case .draft(number, _) = memo[place] { memo[place] = value }
    }
  }

  private mutating func draft(_ draft: PickleDraft) -> PickleValue {
    drafts += 1
    return .draft(drafts, draft)
  }

  private static func data(_ value: PickleValue) -> PickledArray.Data? {
    switch value {
    case .bytes(let bytes): .bytes(bytes)
    case .span(let offset, let count): .span(offset: offset, count: count)
    default: nil
    }
  }

  private static func truth(_ value: PickleValue) -> Bool? {
    switch value {
    case .bool(let truth): truth
    case .int(let number) where number == 0 || number == 1: number == 1
    default: nil
    }
  }

  private var wronglyMade: RelabelError {
    RelabelError(
      .invalidInput,
      "the pickle describes an array wrongly, or one that is not of numbers, at byte \(cursor.position)"
    )
  }
}
