/// The kinds of object header messages that occur in shards and in what other rules refuse.
enum MessageKind: UInt8 {
  case empty = 0x00
  case dataspace = 0x01
  case linkInfo = 0x02
  case datatype = 0x03
  case fillValue = 0x05
  case link = 0x06
  case externalFiles = 0x07
  case layout = 0x08
  case groupInfo = 0x0A
  case filters = 0x0B
  case attribute = 0x0C
  case continuation = 0x10
  case attributeInfo = 0x15
  case referenceCount = 0x16

  /// What findings call it.
  var words: String {
    switch self {
    case .empty: "the unused space"
    case .dataspace: "the dataspace"
    case .linkInfo: "the link info"
    case .datatype: "the datatype"
    case .fillValue: "the fill value"
    case .link: "the link"
    case .externalFiles: "the list of external files"
    case .layout: "the data layout"
    case .groupInfo: "the group info"
    case .filters: "the filter chain"
    case .attribute: "the attribute"
    case .continuation: "the continuation"
    case .attributeInfo: "the attribute info"
    case .referenceCount: "the reference count"
    }
  }

  /// True when an object header may hold several.
  var mayRepeat: Bool {
    switch self {
    case .empty, .link, .attribute, .continuation: true
    default: false
    }
  }
}

/// One message of an object header.
struct HeaderMessage {
  let kind: MessageKind
  /// True when the message stands elsewhere and this is only its address.
  let isShared: Bool
  var fields: FieldReader

  private static let constant: UInt8 = 0x01
  private static let shared: UInt8 = 0x02
  private static let notToBeShared: UInt8 = 0x04

  /// Reads the next message of a header block.
  init(_ block: inout FieldReader) throws(Halt) {
    let place = block.place
    let type = try block.byte()
    let size = Int(try block.number(2))
    let flags = try block.byte()
    guard let kind = MessageKind(rawValue: type) else {
      throw block.refused("has a message of type \(type) at byte \(place), which no shard has")
    }
    self.kind = kind
    fields = try block.part(size, kind.words)
    guard flags & ~(Self.constant | Self.shared | Self.notToBeShared) == 0 else {
      throw fields.refused("has flags \(flags), which no shard has")
    }
    isShared = flags & Self.shared != 0
    // Another rule reports a committed datatype; nothing else can be shared in a shard.
    if isShared, kind != .datatype { throw fields.refused("is a shared message") }
  }
}
