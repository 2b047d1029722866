/// The type of the elements of a dataset or an attribute.
///
/// All classes of HDF5 are read, those too that another rule refuses: the library has to decode
/// them before anything can be said of them.
struct DatatypeMessage {
  /// Bytes of one element.
  let size: UInt64
  /// True for the classes of the profile, whose values lie nowhere else.
  let isPlain: Bool

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
    switch kind {
    case .integer, .bits: try requireBits(&fields)
    case .float: try requireFloat(&fields, flags)
    case .time: try fields.skip(2)
    case .string:
      guard flags & 0x0F <= 2, flags >> 4 <= 1 else { throw fields.refused("is no known string") }
    case .opaque: try fields.skip(flags & 0xFF)
    case .reference:
      guard flags <= 1, size <= 16 else { throw fields.refused("is no known reference") }
    case .variableLength:
      guard size == 16 else { throw fields.refused("has elements of \(size) bytes") }
      _ = try DatatypeMessage(&fields, depth: depth + 1)
    case .compound, .enumeration, .array:
      // The encodings before version 3 were never written with the bounds of a shard.
      guard first >> 4 == 3 else { throw fields.refused("is of an old encoding") }
      try requireParts(of: kind, &fields, count: flags & 0xFFFF, depth: depth)
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
      guard count > 0, base.size == size else { throw fields.refused("is no enumeration") }
      for _ in 0..<count { try fields.skipTerminated() }
      for _ in 0..<count { try fields.skip(Int(size)) }
    default:
      let rank = Int(try fields.byte())
      var factors: [UInt64] = []
      for _ in 0..<rank { factors.append(try fields.number(4)) }
      factors.append(try DatatypeMessage(&fields, depth: depth + 1).size)
      guard rank > 0, factors.product() == size else { throw fields.refused("is no array") }
    }
  }

  /// Bytes of the offsets of members: as few as hold the size.
  private var offsetBytes: Int { (UInt64.bitWidth - size.leadingZeroBitCount + 7) / 8 }
}
