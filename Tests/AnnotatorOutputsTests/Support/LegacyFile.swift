/// Builds a file of torch's legacy container, true or false in any detail.
struct LegacyFile {
  var magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
  var torchProtocol = 1001
  var littleEndian = true
  var storageType = "FloatStorage"
  var sizes = [2, 2, 3, 4]
  var strides = [24, 12, 4, 1]
  var offset = 0
  /// Elements that the tensor's pickle says the storage has.
  var declared = 48
  /// Elements that the storage itself says it has; nil: as declared.
  var counted: Int?
  var keys = ["7"]
  var view = false
  /// Opcodes instead of the tensor.
  var pickle: [UInt8]?
  var storage: [UInt8] = LegacyFile.storage(LegacyFile.values)
  var tail: [UInt8] = []

  /// Scores 24 … 1 and class ids 0 … 23.
  static let values: [Float] = (0..<24).map { Float(24 - $0) } + (0..<24).map { Float($0) }

  static func storage(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
  }

  var bytes: [UInt8] {
    var file: [UInt8] = [0x80, 2, 0x8A, UInt8(magic.count)] + magic + Op.stop
    file += [0x80, 2] + Op.int(torchProtocol) + Op.stop
    file += [0x80, 2] + Op.text("}")  // EMPTY_DICT
    file += Op.string("little_endian") + [littleEndian ? 0x88 : 0x89] + Op.text("s") + Op.stop
    file += [0x80, 2] + (pickle ?? tensor) + Op.stop
    file += [0x80, 2] + Op.text("](") + keys.flatMap { Op.string($0) } + Op.text("e") + Op.stop
    file += (0..<8).map { UInt8(truncatingIfNeeded: (counted ?? declared) >> (8 * $0)) }
    return file + storage + tail
  }

  private var tensor: [UInt8] {
    var code = Op.global("torch._utils", "_rebuild_tensor_v2") + Op.text("((")
    code += Op.string("storage") + Op.global("torch", storageType) + Op.string("7")
    code += Op.string("cpu") + Op.int(declared)
    if view { code += Op.text("(") + Op.string("8") + Op.int(0) + Op.int(4) + Op.text("t") }
    code += Op.text("tQ") + Op.int(offset) + Op.tuple(sizes) + Op.tuple(strides) + [0x89]
    return code + Op.global("collections", "OrderedDict") + Op.text(")RtR")
  }
}

/// Opcodes of a pickle.
enum Op {
  static let stop: [UInt8] = text(".")

  static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  static func global(_ module: String, _ name: String) -> [UInt8] { text("c\(module)\n\(name)\n") }

  static func string(_ value: String) -> [UInt8] {
    [UInt8(ascii: "X"), UInt8(value.utf8.count), 0, 0, 0] + Array(value.utf8)
  }

  /// LONG1 of 8 bytes.
  static func int(_ value: Int) -> [UInt8] {
    [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func tuple(_ values: [Int]) -> [UInt8] {
    text("(") + values.flatMap { int($0) } + text("t")
  }
}
