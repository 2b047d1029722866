import Relabel

/// A pickle without its long bytes, which stay in the file: it may be of many gigabytes.
///
/// Only where opcodes begin and end is looked at here; `TorchPickle` reads what is left.
struct PickleSkeleton {
  /// Stands in a skeleton for bytes in the file, and no opcode of pickles has this number.
  ///
  /// 8 bytes behind it say where, 8 how many.
  static let spanOpcode: UInt8 = 0xFF
  /// The largest skeleton: that of a dictionary of some ten thousand arrays.
  static let maximumBytes = 8 << 20
  /// Bytes and texts up to this length are part of the skeleton.
  private static let longest = 4096
  private static let window = 64 << 10

  private let file: ByteRegion
  private let path: String
  private var piece: [UInt8] = []
  private var pieceStart = 0
  private var position = 0
  private var bytes: [UInt8] = []

  /// The skeleton of the pickle that fills a file.
  ///
  /// - Throws: `.invalidInput` for what is no pickle or more than one, `.unsafeInput` for one that is too long, `.io`.
  static func read(_ file: ByteRegion, path: String) throws(RelabelError) -> [UInt8] {
    var skeleton = PickleSkeleton(file: file, path: path)
    while try skeleton.step() {}
    guard skeleton.position == file.count else {
      throw RelabelError(
        .invalidInput,
        "\(file.count - skeleton.position) trailing bytes follow the pickle"
      )
    }
    return skeleton.bytes
  }

  private init(file: ByteRegion, path: String) { (self.file, self.path) = (file, path) }

  /// Takes an opcode with its argument; false at the last.
  private mutating func step() throws(RelabelError) -> Bool {
    let start = position
    let opcode = try take(1)[0]
    switch opcode {
    case UInt8(ascii: "."):
      bytes.append(opcode)
      return false
    case UInt8(ascii: "K"), UInt8(ascii: "h"), UInt8(ascii: "q"), 0x80: try copy(opcode, 1)
    case UInt8(ascii: "M"): try copy(opcode, 2)
    case UInt8(ascii: "J"), UInt8(ascii: "j"), UInt8(ascii: "r"): try copy(opcode, 4)
    case UInt8(ascii: "G"): try copy(opcode, 8)
    // A frame says nothing that is needed, and its length is another here.
    case 0x95: _ = try take(8)
    case UInt8(ascii: "C"), UInt8(ascii: "U"), 0x8C, 0x8A: try payload(opcode, 1, isBytes: false)
    case UInt8(ascii: "B"): try payload(opcode, 4, isBytes: true)
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try payload(opcode, 4, isBytes: false)
    case 0x8D: try payload(opcode, 8, isBytes: false)
    case 0x8E, 0x96: try payload(opcode, 8, isBytes: true)
    case UInt8(ascii: "c"):
      bytes.append(opcode)
      try line()
      try line()
    // The machine knows which of the others it takes; none of those has an argument.
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "N"), UInt8(ascii: "}"),
      UInt8(ascii: "]"), UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "e"),
      UInt8(ascii: "s"), UInt8(ascii: "u"), UInt8(ascii: "Q"), UInt8(ascii: "R"),
      UInt8(ascii: "b"), UInt8(ascii: "o"), 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x92, 0x93, 0x94:
      bytes.append(opcode)
    default:
      throw RelabelError(
        .invalidInput,
        "the pickle has opcode \(opcode) at byte \(start), which no array needs; pickles of protocol 2 to 5 are read"
      )
    }
    guard bytes.count <= Self.maximumBytes else {
      throw RelabelError(
        .unsafeInput,
        "the pickle needs more than \(Self.maximumBytes) bytes beside its numbers; save one array of all images,"
          + " or an .npz of class_index, score and keys"
      )
    }
    return true
  }

  private mutating func copy(_ opcode: UInt8, _ count: Int) throws(RelabelError) {
    bytes.append(opcode)
    bytes += try take(count)
  }

  private mutating func payload(
    _ opcode: UInt8,
    _ width: Int,
    isBytes: Bool
  ) throws(RelabelError) {
    let length = try take(width)
    let value = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard let count = Int(exactly: value), count <= file.count - position else { throw truncated }
    if isBytes, count > Self.longest {
      bytes.append(Self.spanOpcode)
      for number in [position, count] {
        withUnsafeBytes(of: UInt64(number).littleEndian) { bytes.append(contentsOf: $0) }
      }
      position += count
      return
    }
    guard count <= Self.maximumBytes - bytes.count else {
      throw RelabelError(
        .unsafeInput,
        "the pickle holds a text of \(count) bytes: pickles of protocol 2 keep numbers so; save it again with"
          + " protocol=4"
      )
    }
    bytes.append(opcode)
    bytes += length
    bytes += try take(count)
  }

  private mutating func line() throws(RelabelError) {
    for _ in 0..<256 {
      let byte = try take(1)[0]
      bytes.append(byte)
      if byte == UInt8(ascii: "\n") { return }
    }
    throw RelabelError(.invalidInput, "the pickle has a name that does not end")
  }

  private mutating func take(_ count: Int) throws(RelabelError) -> [UInt8] {
    guard count <= file.count - position else { throw truncated }
    if position < pieceStart || position + count > pieceStart + piece.count {
      let wanted = min(max(Self.window, count), file.count - position)
      piece = try file.slice(position, wanted).read(limit: Self.maximumBytes, path: path)
      pieceStart = position
    }
    defer { position += count }
    let start = position - pieceStart
    return Array(piece[start..<start + count])
  }

  private var truncated: RelabelError {
    RelabelError(.invalidInput, "the pickle is truncated")
  }
}
