/// What elements are that were never written.
struct FillValueMessage {
  /// Bytes of the value; nil when none is defined.
  let size: UInt64?
  /// The value; empty for the default of the type.
  let bytes: [UInt8]
  /// False when elements that were never written stay undefined.
  let isWritten: Bool

  private static let undefined: UInt8 = 0x10
  private static let defined: UInt8 = 0x20
  /// The time at which the value is written.
  private static let never: UInt8 = 1

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let flags = try fields.byte()
    let state = flags & (Self.undefined | Self.defined)
    // Bits 2 and 3: when the value is written, 3 is no time; 6 and 7 are reserved.
    guard version == 3, flags & 0xC0 == 0, flags >> 2 & 3 != 3,
      state != Self.undefined | Self.defined
    else { throw fields.refused("has version \(version) and flags \(flags)") }
    isWritten = flags >> 2 & 3 != Self.never
    if state == Self.defined {
      let size = try fields.number(4)
      guard size == fields.remaining else { throw fields.refused("is not of \(size) bytes") }
      bytes = Array(try fields.take(fields.remaining))
      self.size = size
    } else {
      size = nil
      bytes = []
    }
    try fields.requireEnd()
  }
}
