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
  indirect case array(PickledArray)
  /// The element type of an array.
  case arrayType(PickledArrayType)
  /// An array or its type that is not complete yet, by number.
  indirect case draft(Int, PickleDraft)
  /// Bytes that were left in the file.
  case span(offset: Int, count: Int)
}

/// The names a pickle may mention; none of them is ever looked up or called.
enum PickleGlobal: Hashable {
  case rebuildTensor
  /// Wraps a tensor as a `Parameter`.
  case rebuildParameter
  /// Makes a tensor of a class of its own.
  case rebuildFromType
  /// A class that means no more than its numbers, of those that `rebuildFromType` is called with.
  case tensorType
  /// The values and indices that `topk` returns.
  case topK
  case orderedDictionary
  /// A storage type, such as `FloatStorage`.
  case storageType(String)
  // NumPy's: an array in two steps or at once, its class, the class of types, a number; bytes as text.
  case rebuildArray, arrayFromBuffer, arrayClass, arrayTypeClass, number, encode

  /// NumPy's names; of those no other is known.
  init?(arrays module: String, _ name: String) {
    let module = module.replacing("numpy._core.", with: "numpy.core.")
    switch (module, name) {
    case ("numpy.core.multiarray", "_reconstruct"): self = .rebuildArray
    case ("numpy.core.multiarray", "scalar"): self = .number
    case ("numpy.core.numeric", "_frombuffer"): self = .arrayFromBuffer
    case ("numpy", "ndarray"): self = .arrayClass
    case ("numpy", "dtype"): self = .arrayTypeClass
    case ("_codecs", "encode"): self = .encode
    default: return nil
    }
  }

  /// Any name that isn't in the list is refused at once.
  init(module: String, name: String) throws(RelabelError) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch._tensor", "_rebuild_from_type_v2"): self = .rebuildFromType
    case ("torch", "Tensor"), ("torch._tensor", "Tensor"),
      ("torchvision.tv_tensors._image", "Image"),
      ("torchvision.tv_tensors._mask", "Mask"):
      self = .tensorType
    case ("torch.return_types", "topk"), ("torch.return_types", "sort"): self = .topK
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch", _), ("torch.storage", _):
      guard name.hasSuffix("Storage"), name.utf8.count < 32 else { fallthrough }
      self = .storageType(name)
    default:
      throw RelabelError(
        .unsafeInput,
        "the pickle calls '\(module).\(name)'; it was not executed: only tensors saved by torch.save"
          + " are read; \(TorchMend.mend(module: module))"
      )
    }
  }
}

/// What to do with something that `torch.save` wrote and that is not a map.
enum TorchMend {
  /// The form that is always read.
  static let oneTensor: String =
    "save one tensor [2, k, H, W]: torch.save(torch.stack([scores, ids.float()]), file)"

  /// What to do with an object of a module that is not known.
  static func mend(module: String) -> String {
    if module.hasPrefix("numpy") {
      "save an array with numpy.save, or as torch.from_numpy(array)"
    } else if module.hasPrefix("torch") {
      oneTensor
    } else {
      "save a tensor of a class of your own with .detach().as_subclass(torch.Tensor)"
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

  /// The tensors of a map, or an error that says what there is instead.
  func contents() throws(RelabelError) -> TorchContents<TorchTensor> {
    let found: String
    switch self {
    case .tensor(let tensor):
      guard tensor.storage.scalar.isFloat else {
        throw RelabelError(
          .invalidInput,
          "the tensor is a torch.\(tensor.storage.scalar.rawValue); a map is float32, float16, bfloat16"
            + " or float64: \(TorchMend.oneTensor)"
        )
      }
      return .stacked(tensor)
    case .tuple(let items), .list(let items):
      if let pair = Self.pair(items) { return pair }
      found = if case .list = self { "a list" } else { "a tuple" }
    case .dictionary(let items):
      if let pair = Self.named(items) { return pair }
      found = "a dictionary"
    case .orderedDictionary: found = "a dictionary"
    default: found = "something else"
    }
    throw RelabelError(
      .invalidInput,
      "the file holds \(found); a map is one tensor, or scores of a floating-point type and class ids of an"
        + " integer type, each [k, H, W]: \(TorchMend.oneTensor)"
    )
  }

  /// Two tensors whose types say which is which.
  private static func pair(_ items: [PickleValue]) -> TorchContents<TorchTensor>? {
    guard items.count == 2, case .tensor(let first) = items[0], case .tensor(let second) = items[1]
    else { return nil }
    switch (first.storage.scalar.isFloat, second.storage.scalar.isFloat) {
    case (true, false): return .pair(scores: first, ids: second)
    case (false, true): return .pair(scores: second, ids: first)
    default: return nil
    }
  }

  /// Two tensors whose names say which is which.
  private static func named(_ items: [PickleValue]) -> TorchContents<TorchTensor>? {
    guard items.count == 4 else { return nil }
    var (scores, ids): (TorchTensor?, TorchTensor?)
    for place in [0, 2] {
      guard case .string(let name) = items[place], case .tensor(let tensor) = items[place + 1]
      else {
        return nil
      }
      switch name {
      case "score", "scores", "values": scores = tensor
      case "id", "ids", "indices", "index", "class_index", "class_ids", "classes": ids = tensor
      default: return nil
      }
    }
    guard let scores, let ids, scores.storage.scalar.isFloat else { return nil }
    return .pair(scores: scores, ids: ids)
  }
}
