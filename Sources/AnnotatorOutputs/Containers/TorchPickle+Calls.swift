import Relabel

extension TorchPickle {
  /// The storage that a persistent id names: ('storage', type, key, location, count[, view]).
  static func storage(_ identity: PickleValue) throws(RelabelError) -> TorchTensor.Storage {
    guard case .tuple(let parts) = identity, parts.count == 5 || parts.count == 6,
      case .string("storage") = parts[0], case .global(.storageType(let type)) = parts[1],
      case .string(let key) = parts[2], case .int(let count) = parts[4], count >= 0
    else {
      throw RelabelError(.invalidInput, "the pickle refers to something that is not a storage")
    }
    if parts.count == 6, parts[5] != .none {
      throw RelabelError(.invalidInput, "the tensor's storage is a view of another one")
    }
    guard let scalar = TorchScalar(rawValue: type) else {
      throw RelabelError(
        .invalidInput,
        "the tensor is a torch.\(type); \(TorchMend.oneTensor)"
      )
    }
    return TorchTensor.Storage(scalar: scalar, key: key, count: count)
  }

  /// What the two calls of a tensor's pickle would give.
  static func call(
    _ function: PickleValue,
    _ arguments: PickleValue
  ) throws(RelabelError) -> PickleValue {
    guard case .tuple(let parts) = arguments else {
      throw RelabelError(.invalidInput, "the pickle calls something without arguments")
    }
    switch function {
    case .global(.orderedDictionary) where parts.isEmpty:
      return .orderedDictionary
    case .global(.rebuildTensor):
      // The seventh argument, when there is one, changes what the numbers mean (conjugation …).
      guard parts.count == 6 || (parts.count == 7 && isEmpty(parts[6])),
        case .storage(let storage) = parts[0], case .int(let offset) = parts[1],
        let sizes = integers(parts[2]), let strides = integers(parts[3]),
        sizes.count == strides.count
      else { throw RelabelError(.invalidInput, "the pickle describes its tensor wrongly") }
      return .tensor(
        TorchTensor(storage: storage, offset: offset, sizes: sizes, strides: strides)
      )
    case .global(.rebuildParameter):
      guard parts.count == 3, case .tensor = parts[0], isEmpty(parts[2]) else { throw unlikeTensor }
      return parts[0]
    case .global(.rebuildFromType):
      // Of a type that only adds a name to a tensor; what it is called with makes the tensor.
      guard parts.count == 4, case .global(.tensorType) = parts[1], isEmpty(parts[3]) else {
        throw unlikeTensor
      }
      return try call(parts[0], parts[2])
    case .global(.topK):
      guard parts.count == 2, case .tuple = parts[0], isEmpty(parts[1]) else { throw unlikeTensor }
      return parts[0]
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle calls an object that is not a tensor; it was not executed: \(TorchMend.oneTensor)"
      )
    }
  }

  private static var unlikeTensor: RelabelError {
    RelabelError(
      .invalidInput,
      "the tensor carries more than its numbers; save it with .detach().as_subclass(torch.Tensor)"
    )
  }

  private static func isEmpty(_ value: PickleValue) -> Bool {
    value == .none || value == .dictionary([]) || value == .orderedDictionary
  }

  static func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let parts) = value else { return nil }
    var integers: [Int] = []
    integers.reserveCapacity(parts.count)
    for part in parts {
      guard case .int(let integer) = part else { return nil }
      integers.append(integer)
    }
    return integers
  }
}
