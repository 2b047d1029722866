/// One link of a group.
struct LinkMessage {
  let name: String
  /// The object that a hard link leads to; nil for other links, which another rule refuses.
  let address: UInt64?
  /// What kind of link it is; nil for a hard link, whose object says what it leads to.
  let kind: StoredLink.Kind?

  private static let creationOrder: UInt8 = 0x04
  private static let softKinds: [UInt8: StoredLink.Kind] = [1: .soft, 64: .external]

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let flags = try fields.byte()
    guard version == 1, flags & 0xE0 == 0, flags & Self.creationOrder == 0 else {
      throw fields.refused("has version \(version) and flags \(flags)")
    }
    let type = flags & 0x08 != 0 ? try fields.byte() : 0
    if flags & 0x10 != 0, try fields.byte() > 1 {
      throw fields.refused("has no known text encoding")
    }
    let length = try fields.number(1 << Int(flags & 3))
    name = try fields.text(Int(clamping: length), isTerminated: false)
    guard !name.contains("/") else { throw fields.refused("has a slash in its name") }
    switch type {
    case 0:
      address = try fields.number(8)
      kind = nil
    case 1, 64...:
      address = nil
      kind = Self.softKinds[type] ?? .other
      try fields.skip(Int(try fields.number(2)))
    default: throw fields.refused("is of type \(type), which is reserved")
    }
    try fields.requireEnd()
  }
}

/// What a group keeps of its links besides the links.
enum GroupMessages {
  /// Link info or attribute info: where these are when they are not in the object header.
  ///
  /// - Returns: heap and index of dense storage, none when all is in the object header.
  static func denseStorage(_ fields: inout FieldReader) throws(Halt) -> [ForeignBlock] {
    let version = try fields.byte()
    let flags = try fields.byte()
    guard version == 0, flags == 0 else {
      throw fields.refused("has version \(version) and flags \(flags)")
    }
    let heap = try fields.number(8)
    let index = try fields.number(8)
    try fields.requireEnd()
    if heap == BlockReader.undefined, index == BlockReader.undefined { return [] }
    return [.fractalHeap(heap), .tree(index)]
  }

  /// Group info: hints on how a group will grow.
  static func requireGroupInfo(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let flags = try fields.byte()
    guard version == 0, flags & 0xFC == 0 else {
      throw fields.refused("has version \(version) and flags \(flags)")
    }
    if flags & 1 != 0 { try fields.skip(4) }
    if flags & 2 != 0 { try fields.skip(4) }
    try fields.requireEnd()
  }
}
