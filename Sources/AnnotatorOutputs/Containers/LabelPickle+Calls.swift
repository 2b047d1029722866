import Relabel

extension LabelPickle {
  /// What a call would give, of those that NumPy's and torch's values are made with.
  static func call(
    _ function: ListValue,
    _ arguments: ListValue
  ) throws(RelabelError) -> ListValue {
    guard case .tuple(let parts) = arguments else {
      throw RelabelError(.invalidInput, "the pickle calls something without arguments")
    }
    switch function {
    case .global(.encode):
      guard parts.count == 2, case .string(let text) = parts[0], parts[1] == .string("latin1")
      else { break }
      return .bytes(try latin1(text))
    case .global(.numPyType):
      guard parts.count == 3, case .string(let code) = parts[0] else { break }
      guard let scalar = TorchScalar(numPy: code) else {
        throw RelabelError(
          .invalidInput,
          "an array has the type '\(code)', which no label list needs"
        )
      }
      return .elementType(scalar)
    case .global(.numPyReconstruct(let module)):
      guard parts.count == 3, parts[0] == .global(.numPyArray), parts[1] == .tuple([.int(0)]),
        parts[2] == .bytes(Array("b".utf8))
      else { break }
      return .blankArray(module)
    case .global(.numPyScalar(let module)):
      guard parts.count == 2, case .elementType(let scalar) = parts[0],
        case .bytes(let bytes) = parts[1]
      else { break }
      return .scalar(try ListArray(scalar, shape: [], bytes, module))
    case .global(.ofTensor(let global))
    where global == .rebuildTensor || global == .orderedDictionary:
      guard let arguments = arguments.ofTensor else { break }
      switch try TorchPickle.call(.global(global), arguments) {
      case .tensor(let tensor): return .tensor(tensor)
      default: return .orderedDictionary
      }
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle calls an object that is no tensor, array or number; it was not executed"
      )
    }
    throw wrong
  }

  /// What `__setstate__` would make of a NumPy type or array.
  static func build(
    _ object: ListValue,
    _ state: ListValue
  ) throws(RelabelError) -> ListValue {
    guard case .tuple(let parts) = state else {
      throw RelabelError(
        .unsafeInput,
        "the pickle gives an object a state of its own; it was not executed"
      )
    }
    switch object {
    case .elementType(let scalar):
      // Version, byte order, and what only types with parts have.
      guard parts.count == 8, parts[0] == .int(3), parts[2...4].allSatisfy({ $0 == .none }) else {
        break
      }
      guard parts[1] == .string("<") || (parts[1] == .string("|") && scalar.width == 1) else {
        throw RelabelError(
          .invalidInput,
          "an array is not little-endian; save it on such a machine"
        )
      }
      return object
    case .blankArray(let module):
      guard parts.count == 5, parts[0] == .int(1), case .tuple(let sizes) = parts[1],
        case .elementType(let scalar) = parts[2], case .bool(let isFortran) = parts[3],
        case .bytes(let bytes) = parts[4]
      else { break }
      var shape: [Int] = []
      for size in sizes {
        guard case .int(let size) = size, size >= 0 else { throw wrong }
        shape.append(size)
      }
      guard !isFortran || shape.count < 2 else {
        throw RelabelError(
          .invalidInput,
          "an array lies in Fortran order, which no writer of label lists gives"
        )
      }
      return .array(try ListArray(scalar, shape: shape, bytes, module))
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle gives an object a state of its own; it was not executed"
      )
    }
    throw wrong
  }

  private static var wrong: RelabelError {
    RelabelError(.invalidInput, "the pickle describes one of its arrays or tensors wrongly")
  }

  /// The bytes that a text of characters below 256 stands for.
  private static func latin1(_ text: String) throws(RelabelError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else {
        throw RelabelError(.invalidInput, "the pickle's bytes have a character above 255")
      }
      bytes.append(byte)
    }
    return bytes
  }
}
