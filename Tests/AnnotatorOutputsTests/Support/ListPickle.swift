/// Builds the zip of a list of tensors, arrays and numbers, as `torch.save` would, true or false in any detail.
struct ListPickle {
  private var code: [UInt8] = [0x80, 2] + Op.text("](")
  private var storages: [(key: String, bytes: [UInt8])] = []

  /// Adds opcodes that leave one value.
  mutating func add(_ opcodes: [UInt8]) { code += opcodes }

  /// Adds a tensor; the storage may have other bytes than it needs.
  mutating func tensor(
    _ storage: String,
    _ sizes: [Int],
    _ bytes: [UInt8],
    count: Int? = nil,
    strides: [Int]? = nil
  ) {
    let key = "\(storages.count)"
    storages.append((key, bytes))
    var step = 1
    let steps = sizes.reversed().map { size in
      defer { step *= size }
      return step
    }
    code += Op.global("torch._utils", "_rebuild_tensor_v2") + Op.text("((") + Op.string("storage")
    code += Op.global("torch", storage) + Op.string(key) + Op.string("cpu")
    code += Op.int(count ?? sizes.reduce(1, *)) + Op.text("tQ") + Op.int(0) + Op.tuple(sizes)
    code += Op.tuple(strides ?? steps.reversed()) + [0x89]
    code += Op.global("collections", "OrderedDict") + Op.text(")RtR")
  }

  mutating func floats(_ sizes: [Int], _ value: Float = 0.25) {
    let values = [Float](repeating: value, count: sizes.reduce(1, *))
    tensor("FloatStorage", sizes, LegacyFile.storage(values))
  }

  /// Adds a NumPy array.
  mutating func array(_ type: String, _ sizes: [Int], _ bytes: [UInt8], order: String = "<") {
    code += Op.global("numpy._core.multiarray", "_reconstruct") + Op.global("numpy", "ndarray")
    code += Op.tuple([0]) + Self.latin1([UInt8(ascii: "b")]) + [0x87] + Op.text("R(") + Op.int(1)
    code += Op.tuple(sizes) + Self.type(type, order) + [0x89] + Self.latin1(bytes) + Op.text("tb")
  }

  /// A NumPy number.
  static func scalar(_ value: Int64, type name: String = "i8") -> [UInt8] {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return Op.global("numpy.core.multiarray", "scalar") + type(name, "<") + latin1(bytes)
      + [0x86] + Op.text("R")
  }

  private static func type(_ name: String, _ order: String) -> [UInt8] {
    Op.global("numpy", "dtype") + Op.string(name) + [0x89, 0x88, 0x87] + Op.text("R(") + Op.int(3)
      + Op.string(name.hasSuffix("1") ? "|" : order) + Op.text("NNN") + Op.int(-1) + Op.int(-1)
      + Op.int(0) + Op.text("tb")
  }

  private static func latin1(_ bytes: [UInt8]) -> [UInt8] {
    let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    let length = (0..<4).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) }
    return Op.global("_codecs", "encode") + [UInt8(ascii: "X")] + length + Array(text.utf8)
      + Op.string("latin1") + [0x86] + Op.text("R")
  }

  /// The pickle alone.
  var pickle: [UInt8] { code + Op.text("e.") }

  /// The file.
  var file: [UInt8] {
    var zip = ZipFile()
    zip.add("batch/data.pkl", pickle)
    zip.add("batch/byteorder", Array("little".utf8))
    for (key, bytes) in storages { zip.add("batch/data/\(key)", bytes) }
    return zip.bytes
  }
}
