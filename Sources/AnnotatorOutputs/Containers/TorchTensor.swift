import Relabel

/// The element types that maps and class ids may be stored in, with the name of their torch storage.
enum TorchScalar: String {
  case float32 = "FloatStorage"
  case float16 = "HalfStorage"
  case float64 = "DoubleStorage"
  case bfloat16 = "BFloat16Storage"
  case int64 = "LongStorage"
  case int32 = "IntStorage"
  case int16 = "ShortStorage"
  case int8 = "CharStorage"
  case uint8 = "ByteStorage"
  // Torch has no storages of these; arrays of other sources do.
  case uint16 = "uint16"
  case uint32 = "uint32"
  case uint64 = "uint64"

  /// The type of an array of NumPy's; nil for text.
  init?(_ scalar: NumPyScalar) {
    switch scalar {
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .float32: self = .float32
    case .float64: self = .float64
    case .unsigned(1): self = .uint8
    case .unsigned(2): self = .uint16
    case .unsigned(4): self = .uint32
    case .unsigned: self = .uint64
    case .signed(1): self = .int8
    case .signed(2): self = .int16
    case .signed(4): self = .int32
    case .signed: self = .int64
    case .bytes, .unicode: return nil
    }
  }

  /// The most classes whose ids it holds exactly.
  var classesHeld: Int {
    switch self {
    case .bfloat16: 1 << 8
    case .float16: 1 << 11
    case .float32: 1 << 24
    case .float64: 1 << 53
    case .uint8: 1 << 8
    case .int8: 1 << 7
    case .int16: 1 << 15
    case .uint16: 1 << 16
    case .int32, .int64, .uint32, .uint64: Int(UInt32.max)
    }
  }

  /// What torch calls the type.
  var typeName: String {
    switch self {
    case .bfloat16: "bfloat16"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .int64: "int64"
    case .int32: "int32"
    case .int16: "int16"
    case .int8: "int8"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    }
  }

  /// Bytes of one element.
  var width: Int {
    switch self {
    case .int8, .uint8: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// True for a type that scores may have.
  var isFloat: Bool {
    switch self {
    case .float32, .float16, .float64, .bfloat16: true
    case .int64, .int32, .int16, .int8, .uint8, .uint16, .uint32, .uint64: false
    }
  }
}

/// A tensor as `torch.save` describes it: a strided view of a storage.
struct TorchTensor: Hashable {
  struct Storage: Hashable {
    let scalar: TorchScalar
    let key: String
    let count: Int
  }

  let storage: Storage
  let offset: Int
  let sizes: [Int]
  let strides: [Int]

  /// Refuses a view that reaches outside its storage.
  func checkBounds() throws(RelabelError) {
    guard let elements = checkedProduct(of: sizes) else {
      throw RelabelError(.invalidInput, "the tensor's shape \(sizes) overflows")
    }
    if elements == 0 { return }
    var last = offset
    for (size, stride) in zip(sizes, strides) {
      let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (next, overflow2) = last.addingReportingOverflow(reach)
      guard !overflow, !overflow2, stride >= 0 else {
        throw RelabelError(
          .invalidInput,
          "the tensor's strides \(strides) overflow or are negative"
        )
      }
      last = next
    }
    guard offset >= 0, last < storage.count else {
      throw RelabelError(
        .invalidInput,
        "the tensor reaches element \(last) of a storage of \(storage.count) elements"
      )
    }
  }
}

/// A tensor and the bytes of its storage, `start` bytes into `bytes`.
struct StoredTensor {
  let tensor: TorchTensor
  let bytes: [UInt8]
  let start: Int

  /// Checks the tensor against the bytes that are really there.
  init(tensor: TorchTensor, bytes: [UInt8], start: Int) throws(RelabelError) {
    try tensor.checkBounds()
    guard let needed = checkedProduct(tensor.storage.count, tensor.storage.scalar.width),
      needed <= bytes.count - start
    else {
      throw RelabelError(
        .invalidInput,
        "the storage has \(bytes.count - start) bytes, fewer than its"
          + " \(tensor.storage.count) elements need"
      )
    }
    self.tensor = tensor
    self.bytes = bytes
    self.start = start
  }
}
