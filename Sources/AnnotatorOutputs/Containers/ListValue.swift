import Relabel

/// What the pickle of a label list can hold: what one of a tensor can, NumPy's arrays and numbers, and long lists.
enum ListValue: Hashable {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer of more than 8 bytes, as they are.
  case bigInteger([UInt8])
  case float(Double)
  case string(String)
  case bytes([UInt8])
  case tuple([ListValue])
  case list([ListValue])
  /// A long list of small integers.
  case integers([Int32])
  case dictionary([ListValue])
  case orderedDictionary
  case global(ListGlobal)
  /// A type of NumPy's numbers.
  case elementType(TorchScalar)
  /// An array whose contents are still to come.
  case blankArray(NumPyModule)
  // Larger than all others, which would be as large without.
  indirect case array(ListArray)
  /// A NumPy number: an array without axes.
  indirect case scalar(ListArray)
  indirect case storage(TorchTensor.Storage)
  indirect case tensor(TorchTensor)

  /// The elements of a list, packed or not, or nil.
  var items: [ListValue]? {
    switch self {
    case .list(let items): items
    case .integers(let numbers): numbers.map { .int(Int($0)) }
    default: nil
    }
  }

  /// About the bytes that copies of the elements would take.
  var weight: Int {
    switch self {
    case .tuple(let items), .list(let items), .dictionary(let items):
      items.reduce(items.count * MemoryLayout<ListValue>.stride) { $0 + $1.weight }
    case .integers(let numbers): numbers.count * 4
    default: 0
    }
  }

  /// The same as a value of a tensor's pickle, or nil for what only lists hold.
  var ofTensor: PickleValue? {
    switch self {
    case .none: return PickleValue.none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .string(let text): return .string(text)
    case .orderedDictionary: return .orderedDictionary
    case .global(.ofTensor(let global)): return .global(global)
    case .storage(let storage): return .storage(storage)
    case .tuple(let items):
      let values = items.compactMap(\.ofTensor)
      return values.count == items.count ? .tuple(values) : nil
    default: return nil
    }
  }
}

/// The names that the pickle of a label list may mention; none of them is ever looked up or called.
enum ListGlobal: Hashable {
  /// One that a tensor's pickle may mention.
  case ofTensor(PickleGlobal)
  /// Makes a NumPy number.
  case numPyScalar(NumPyModule)
  /// Makes a NumPy array without contents.
  case numPyReconstruct(NumPyModule)
  /// The class of NumPy's arrays.
  case numPyArray
  /// Makes a NumPy element type.
  case numPyType
  /// Makes bytes of text.
  case encode

  /// Any name that isn't in the list is refused at once.
  init(module: String, name: String) throws(RelabelError) {
    switch (module, name) {
    case ("numpy.core.multiarray", "scalar"): self = .numPyScalar(.core)
    case ("numpy._core.multiarray", "scalar"): self = .numPyScalar(.underscored)
    case ("numpy.core.multiarray", "_reconstruct"): self = .numPyReconstruct(.core)
    case ("numpy._core.multiarray", "_reconstruct"): self = .numPyReconstruct(.underscored)
    case ("numpy", "ndarray"): self = .numPyArray
    case ("numpy", "dtype"): self = .numPyType
    case ("_codecs", "encode"): self = .encode
    // Truth values take a byte each, 0 or 1.
    case ("torch", "BoolStorage"): self = .ofTensor(.storageType("ByteStorage"))
    case ("torch._utils", "_rebuild_tensor_v2"), ("collections", "OrderedDict"), ("torch", _),
      ("torch.storage", _):
      self = .ofTensor(try PickleGlobal(module: module, name: name))
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle calls '\(module).\(name)'; it was not executed: label lists hold tensors, arrays and numbers only"
      )
    }
  }
}
