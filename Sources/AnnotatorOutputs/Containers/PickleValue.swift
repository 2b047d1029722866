import Relabel

/// What a pickle of `torch.save` can hold.
enum PickleValue: Hashable {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer of more than 8 bytes, as they are.
  case bigInteger([UInt8])
  case float(Double)
  case string(String)
  case bytes([UInt8])
  case tuple([PickleValue])
  case list([PickleValue])
  case dictionary([PickleValue])
  case orderedDictionary
  case global(PickleGlobal)
  // Larger than all others, which would be as large without.
  indirect case storage(TorchTensor.Storage)
  indirect case tensor(TorchTensor)
}

/// The names a pickle may mention; none of them is ever looked up or called.
enum PickleGlobal: Hashable {
  case rebuildTensor
  case orderedDictionary
  /// A storage type, such as `FloatStorage`.
  case storageType(String)

  /// Any name that isn't in the list is refused at once.
  init(module: String, name: String) throws(RelabelError) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch", _), ("torch.storage", _):
      guard name.hasSuffix("Storage"), name.utf8.count < 32 else { fallthrough }
      self = .storageType(name)
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle calls '\(module).\(name)'; it was not executed: only tensors saved by"
          + " torch.save are read"
      )
    }
  }
}

extension PickleValue {
  /// True when at most `depth` containers lie within one another.
  func isFlat(within depth: Int) -> Bool {
    switch self {
    case .tuple(let items), .list(let items), .dictionary(let items):
      depth > 0 && items.allSatisfy { $0.isFlat(within: depth - 1) }
    default:
      true
    }
  }

  /// The tensor that is the whole value, or an error that says what there is instead.
  func wholeTensor() throws(RelabelError) -> TorchTensor {
    let found: String
    switch self {
    case .tensor(let tensor): return tensor
    case .dictionary, .orderedDictionary: found = "a dictionary"
    case .list: found = "a list"
    case .tuple: found = "a tuple"
    default: found = "something else"
    }
    throw RelabelError(.invalidInput, "the file holds \(found); a map is one tensor")
  }
}
