/// The type of the elements of a dataset or an attribute.
///
/// All classes of HDF5 are read, those too that another rule refuses: the library has to decode
/// them before anything can be said of them.
struct DatatypeMessage {
  /// Bytes of one element.
  let size: UInt64
  /// True for the classes of the profile, whose values lie nowhere else.
  let isPlain: Bool
  /// The type as inspections name it.
  let type: ElementType

  private static let maximumDepth = 32

  private enum Class: UInt8 {
    case integer, float, time, string, bits, opaque, compound, reference, enumeration
    case variableLength, array
  }

  init(_ fields: inout FieldReader, depth: Int = 0) throws(Halt) {
    let first = try fields.byte()
    let flags = Int(try fields.number(3))
    size = try fields.number(4)
    guard let kind = Class(rawValue: first & 0x0F), (1...3).contains(first >> 4), size > 0 else {
      throw fields.refused("is of no known datatype")
    }
    isPlain = [.integer, .float, .string].contains(kind)
    guard depth < Self.maximumDepth else { throw fields.refused("is nested too deep") }
    guard Self.isKnown(flags, of: kind) else {
      throw fields.refused("has flags \(flags), which no datatype of its class has")
    }
    let parts = fields
    type = try Self.type(of: kind, flags, size: size, parts)
    switch kind {
    case .integer, .bits: try requireBits(&fields)
    case .float: try requireFloat(&fields, flags)
    case .time: try fields.skip(2)
    case .string: break
    case .opaque: try fields.skip(flags)
    case .reference:
      guard size <= 16 else { throw fields.refused("has elements of \(size) bytes") }
    case .variableLength:
      guard size == 16 else { throw fields.refused("has elements of \(size) bytes") }
      _ = try DatatypeMessage(&fields, depth: depth + 1)
    case .compound, .enumeration, .array:
      // The encodings before version 3 were never written with the bounds of a shard.
      guard first >> 4 == 3 else { throw fields.refused("is of an old encoding") }
      try requireParts(of: kind, &fields, count: flags, depth: depth)
    }
  }

  /// False when reserved bits of a class are set, or values that it does not have.
  private static func isKnown(_ flags: Int, of kind: Class) -> Bool {
    switch kind {
    case .integer: return flags <= 0x0F
    case .bits: return flags <= 0x07
    case .time: return flags <= 0x01
    case .string: return flags & 0x0F <= 2 && flags >> 4 <= 1
    case .opaque: return flags <= 0xFF
    case .compound, .enumeration: return flags <= 0xFFFF
    case .reference: return flags <= 1
    case .variableLength:
      return flags & 0x0F <= 1 && flags >> 4 & 0x0F <= 2 && flags >> 8 <= 1
    case .array: return flags == 0
    case .float:
      // Bits 0 and 6: the order of bytes, 4 and 5: how the mantissa begins, 8 to 15: the sign.
      let order = (flags & 1, flags >> 6 & 1)
      return order != (0, 1) && flags >> 4 & 3 != 3 && flags & 0xFF_0080 == 0
    }
  }

  /// The bits of a number must lie within its bytes.
  private func requireBits(_ fields: inout FieldReader) throws(Halt) {
    let offset = try fields.number(2)
    let precision = try fields.number(2)
    guard precision > 0, offset + precision <= 8 * size else {
      throw fields.refused("has more bits than its \(size) bytes hold")
    }
  }

  private func requireFloat(_ fields: inout FieldReader, _ flags: Int) throws(Halt) {
    try requireBits(&fields)
    let exponent = (start: try fields.number(1), count: try fields.number(1))
    let mantissa = (start: try fields.number(1), count: try fields.number(1))
    try fields.skip(4)
    let sign = UInt64(flags >> 8 & 0xFF)
    guard exponent.count > 0, mantissa.count > 0, sign < 8 * size,
      exponent.start + exponent.count <= 8 * size, mantissa.start + mantissa.count <= 8 * size
    else { throw fields.refused("has parts of a float outside its \(size) bytes") }
  }

  private func requireParts(
    of kind: Class,
    _ fields: inout FieldReader,
    count: Int,
    depth: Int
  ) throws(Halt) {
    switch kind {
    case .compound:
      guard count > 0 else { throw fields.refused("has no members") }
      for _ in 0..<count {
        try fields.skipTerminated()
        let offset = try fields.number(offsetBytes)
        let member = try DatatypeMessage(&fields, depth: depth + 1)
        guard offset + member.size <= size else { throw fields.refused("has a member outside it") }
      }
    case .enumeration:
      let base = try DatatypeMessage(&fields, depth: depth + 1)
      guard count > 0, base.size == size else { throw fields.refused("is not an enumeration") }
      for _ in 0..<count { try fields.skipTerminated() }
      for _ in 0..<count { try fields.skip(Int(size)) }
    default:
      let rank = Int(try fields.byte())
      var factors: [UInt64] = []
      for _ in 0..<rank { factors.append(try fields.number(4)) }
      factors.append(try DatatypeMessage(&fields, depth: depth + 1).size)
      guard rank > 0, factors.product() == size else { throw fields.refused("is not an array") }
    }
  }

  /// Bytes of the offsets of members: as few as hold the size.
  private var offsetBytes: Int { (UInt64.bitWidth - size.leadingZeroBitCount + 7) / 8 }
}

extension DatatypeMessage {
  /// Names a type by its class and the fields that follow.
  private static func type(
    of kind: Class,
    _ flags: Int,
    size: UInt64,
    _ fields: FieldReader
  ) throws(Halt) -> ElementType {
    switch kind {
    case .integer: try integer(flags, size: size, fields)
    case .float: try float(flags, size: size, fields)
    case .string: string(flags, size: size)
    case .time: .other("unknown type")
    case .bits: .other("bit field")
    case .opaque: .other("opaque type")
    case .compound: .other("compound type")
    case .reference: .other("reference type")
    case .enumeration: .other("enumeration")
    case .variableLength:
      .other(flags & 0x0F == 1 ? "variable-length string" : "variable-length type")
    case .array: .other("array type")
    }
  }

  private static func integer(
    _ flags: Int,
    size: UInt64,
    _ fields: FieldReader
  ) throws(Halt) -> ElementType {
    var fields = fields
    let bits = (offset: try fields.number(2), precision: try fields.number(2))
    // Bit 3: the sign; bits 0 to 2: another order of bytes or filled gaps.
    if flags & 0x07 == 0, bits == (0, 8 * size) {
      switch (size, flags & 0x08 != 0) {
      case (1, false): return .uint8
      case (2, false): return .uint16
      case (4, false): return .uint32
      case (8, false): return .uint64
      case (1, true): return .int8
      case (2, true): return .int16
      case (4, true): return .int32
      case (8, true): return .int64
      default: break
      }
    }
    return .other("integer of \(size) bytes that is not little-endian or not of a known size")
  }

  /// Offset, precision, place and length of the exponent and of the mantissa, and the bias of the
  /// little-endian IEEE types; their flags are the place of the sign and an implied first bit.
  private static let floats: [(type: ElementType, flags: Int, fields: [UInt64])] = [
    (.float16, 0x0F20, [0, 16, 10, 5, 0, 10, 15]),
    (.float32, 0x1F20, [0, 32, 23, 8, 0, 23, 127]),
    (.float64, 0x3F20, [0, 64, 52, 11, 0, 52, 1023]),
  ]

  private static func float(
    _ flags: Int,
    size: UInt64,
    _ fields: FieldReader
  ) throws(Halt) -> ElementType {
    var fields = fields
    var values: [UInt64] = []
    for width in [2, 2, 1, 1, 1, 1, 4] { values.append(try fields.number(width)) }
    for known in floats
    where known.type.size == Int(size) && known.flags == flags && known.fields == values {
      return known.type
    }
    return .other("float of \(size) bytes that is not little-endian IEEE")
  }

  private static func string(_ flags: Int, size: UInt64) -> ElementType {
    let bytes = Int(size)
    guard flags >> 4 == 1 else {
      return .oddString(bytes: bytes, "fixed-length string not marked UTF-8")
    }
    guard flags & 0x0F == 1 else {
      return .oddString(bytes: bytes, "fixed-length string that is not null-padded")
    }
    return .utf8(bytes: bytes)
  }
}
