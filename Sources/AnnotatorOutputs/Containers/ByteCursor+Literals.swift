import Relabel

extension ByteCursor {
  /// The value of an opcode that holds its value itself, or nil for any other opcode.
  mutating func pickleLiteral(_ opcode: UInt8) throws(RelabelError) -> ListValue? {
    switch opcode {
    case UInt8(ascii: "N"): ListValue.none
    case 0x88: .bool(true)
    case 0x89: .bool(false)
    case UInt8(ascii: "K"): .int(Int(try unsigned(1)))
    case UInt8(ascii: "M"): .int(Int(try unsigned(2)))
    case UInt8(ascii: "J"): .int(try signed(4))
    case 0x8A: try pickleLong()
    case UInt8(ascii: "G"): .float(Double(bitPattern: try unsigned(8).byteSwapped))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): .string(try text(length(4)))
    case 0x8C, UInt8(ascii: "U"): .string(try text(length(1)))
    case 0x8D: .string(try text(length(8)))
    case UInt8(ascii: "C"): .bytes(Array(bytes[try take(length(1))]))
    case UInt8(ascii: "B"): .bytes(Array(bytes[try take(length(4))]))
    default: nil
    }
  }

  private mutating func pickleLong() throws(RelabelError) -> ListValue {
    let width = try length(1)
    return width > 8 ? .bigInteger(Array(bytes[try take(width)])) : .int(try signed(width))
  }
}
