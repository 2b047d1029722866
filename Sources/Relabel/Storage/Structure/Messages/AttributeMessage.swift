/// One attribute, its value included.
struct AttributeMessage {
  /// Where the committed type is that it uses; another rule refuses that.
  let committedType: UInt64?
  /// True when the value lies in the message and nowhere else.
  let isPlain: Bool
  /// The name as it is stored: different names may be equal as text, or none at all.
  let name: [UInt8]
  /// What the attribute says.
  let attribute: Attribute

  private static let sharedType: UInt8 = 0x01

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let flags = try fields.byte()
    guard version == 3, flags & ~Self.sharedType == 0 else {
      throw fields.refused("has version \(version) and flags \(flags)")
    }
    let nameBytes = Int(try fields.number(2))
    let typeBytes = Int(try fields.number(2))
    let spaceBytes = Int(try fields.number(2))
    guard try fields.byte() <= 1 else { throw fields.refused("has no known text encoding") }
    var stored = fields
    self.name = Array(try stored.take(nameBytes))
    let name = try fields.text(nameBytes, isTerminated: true)
    var type = try fields.part(typeBytes, "the datatype of attribute '\(name)'")
    var space = try fields.part(spaceBytes, "the dataspace of attribute '\(name)'")
    let dataspace = try DataspaceMessage(&space)
    let count = dataspace.count
    if flags & Self.sharedType != 0 {
      committedType = try CommittedType(&type).address
      isPlain = false
      attribute = Attribute(
        name: name,
        type: .committed,
        shape: dataspace.extent,
        value: nil
      )
    } else {
      committedType = nil
      let datatype = try DatatypeMessage(&type)
      try type.requireEnd()
      isPlain = datatype.isPlain
      guard let count, let bytes = [count, datatype.size].product(), bytes == fields.remaining
      else {
        throw fields.refused("does not have the bytes of its value")
      }
      let value = Array(try fields.take(fields.remaining))
      attribute = Attribute(
        name: name,
        type: datatype.type,
        shape: dataspace.extent,
        value: AttributeValue(value, datatype.type, count: Int(clamping: count))
      )
    }
  }
}

/// The place of a datatype that has an object header of its own.
struct CommittedType {
  let address: UInt64

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let type = try fields.byte()
    guard (2...3).contains(version), type == 2 else {
      throw fields.refused("is shared in a way that no shard knows")
    }
    address = try fields.number(8)
    try fields.requireEnd()
  }
}
