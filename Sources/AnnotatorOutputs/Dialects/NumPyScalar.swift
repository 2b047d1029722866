import Relabel

/// The element types that arrays are read in.
enum NumPyScalar: Hashable {
  case float16, float32, float64
  /// Only in streams of records: NumPy has no name for it.
  case bfloat16
  case unsigned(Int)
  case signed(Int)
  /// `S`: bytes padded with NUL.
  case bytes(Int)
  /// `U`: UTF-32 padded with NUL; the width is in characters.
  case unicode(Int)

  /// Bytes of one element; nil when that overflows.
  var width: Int? {
    switch self {
    case .float16, .bfloat16: 2
    case .float32: 4
    case .float64: 8
    case .unsigned(let width), .signed(let width), .bytes(let width): width
    case .unicode(let count): checkedProduct(count, 4)
    }
  }

  /// The most classes whose ids it holds exactly.
  var classesHeld: Int {
    switch self {
    case .float16: 1 << 11
    case .bfloat16: 1 << 8
    case .float32: 1 << 24
    case .float64: 1 << 53
    case .unsigned(let width): width < 8 ? 1 << (8 * width) : .max
    case .signed(let width): width < 8 ? 1 << (8 * width - 1) : .max
    case .bytes, .unicode: 0
    }
  }

  /// What NumPy calls a type of numbers.
  var typeName: String {
    switch self {
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float32: "float32"
    case .float64: "float64"
    case .unsigned(let width): "uint\(8 * width)"
    case .signed(let width): "int\(8 * width)"
    case .bytes, .unicode: "text"
    }
  }

  var isFloat: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  var isNumber: Bool {
    switch self {
    case .bytes, .unicode: false
    default: true
    }
  }

  /// Reads a `descr` such as `<f4`.
  init(_ descriptor: String) throws(RelabelError) {
    let text = Array(descriptor.utf8)
    guard text.count >= 2 else { throw Self.unknown(descriptor) }
    let (order, kind) = (text[0], text[1])
    if kind == UInt8(ascii: "O") {
      throw RelabelError(
        .unsafeInput,
        "the array holds pickled Python objects; they were not executed"
      )
    }
    guard let width = Int(String(decoding: text[2...], as: UTF8.self)), width >= 0 else {
      throw Self.unknown(descriptor)
    }
    if order == UInt8(ascii: ">") {
      throw RelabelError(
        .invalidInput,
        "the array is big-endian ('\(descriptor)'); save it with .astype('<\(descriptor.dropFirst())')"
      )
    }
    let little = order == UInt8(ascii: "<")
    let single = order == UInt8(ascii: "|")
    switch (kind, width) {
    case (UInt8(ascii: "f"), 2) where little: self = .float16
    case (UInt8(ascii: "f"), 4) where little: self = .float32
    case (UInt8(ascii: "f"), 8) where little: self = .float64
    case (UInt8(ascii: "u"), 1) where single: self = .unsigned(1)
    case (UInt8(ascii: "i"), 1) where single: self = .signed(1)
    case (UInt8(ascii: "u"), 2) where little, (UInt8(ascii: "u"), 4) where little,
      (UInt8(ascii: "u"), 8) where little:
      self = .unsigned(width)
    case (UInt8(ascii: "i"), 2) where little, (UInt8(ascii: "i"), 4) where little,
      (UInt8(ascii: "i"), 8) where little:
      self = .signed(width)
    case (UInt8(ascii: "S"), 1...) where single: self = .bytes(width)
    case (UInt8(ascii: "U"), 1...) where little: self = .unicode(width)
    default: throw Self.unknown(descriptor)
    }
  }

  private static func unknown(_ descriptor: String) -> RelabelError {
    let mend =
      ["|V1", "|V2"].contains(descriptor)
      ? "NumPy saves bfloat16 and its like so, without their names: save it with .astype('f4')"
      : "scores are float16, float32 or float64, class ids integers: save it with .astype"
    return RelabelError(
      .invalidInput,
      "the array's type '\(descriptor)' is not one that is read; \(mend)"
    )
  }
}
