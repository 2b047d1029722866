/// An object header of version 2 with its continuations, all checksums right.
struct ObjectHeader {
  /// True when times of the object are stored.
  let hasTimes: Bool
  /// All messages but unused space and continuations.
  private(set) var messages: [HeaderMessage] = []

  private let object: Int
  private var continuations: [FieldReader] = []
  private var byteCount: UInt64 = 0
  private var messageCount = 0

  private static let version: UInt8 = 2
  private static let creationOrder: UInt8 = 0x0C
  private static let phaseChange: UInt8 = 0x10
  private static let times: UInt8 = 0x20
  private static let reserved: UInt8 = 0xC0
  /// Signature, version, flags, times, phase change and the longest size.
  private static let longestPrefix: UInt64 = 34
  private static let messagePrefix = 4
  /// As many bytes as the attributes of an object can have.
  private static let maximumBytes = UInt64(Layout.maximumAttributes) << 16
  private static let maximumMessages = 1 << 16
  /// Continuation blocks of one header; HDF5 needs a few.
  private static let maximumBlocks = 1_000

  /// Reads the header at `address`.
  init(_ address: UInt64, of object: Int, _ reader: inout BlockReader) throws(Halt) {
    self.object = object
    let rest = reader.source.byteCount.subtractingReportingOverflow(address)
    let prefixBytes = rest.overflow ? 1 : max(min(Self.longestPrefix, rest.partialValue), 1)
    try reader.requireInside(.header, at: address, count: prefixBytes)
    let prefix = try reader.read(.header, at: address, count: Int(prefixBytes))
    try prefix.require(signature: "OHDR", version: Self.version)
    var fields = prefix.fields(from: 5, to: prefix.bytes.count)
    let flags = try fields.byte()
    hasTimes = flags & Self.times != 0
    if hasTimes { try fields.skip(16) }
    if flags & Self.phaseChange != 0 { try fields.skip(4) }
    let size = try fields.number(1 << Int(flags & 3))
    let start = prefix.bytes.count - fields.remaining
    let (count, overflow) = size.addingReportingOverflow(UInt64(start) + 4)
    let block = try block(.header, at: address, count: overflow ? .max : count, &reader)
    guard flags & (Self.creationOrder | Self.reserved) == 0 else {
      throw block.contradicted("has flags \(flags), which no shard has")
    }
    try readMessages(block.fields(from: start))
    try followContinuations(&reader)
  }

  private mutating func followContinuations(_ reader: inout BlockReader) throws(Halt) {
    var known: Set<UInt64> = []
    while var link = continuations.popLast() {
      let address = try link.number(8)
      let size = try link.number(8)
      try link.requireEnd()
      guard known.insert(address).inserted, known.count <= Self.maximumBlocks else {
        throw link.refused("leads to byte \(address) once more, or is one of too many")
      }
      let block = try block(.headerContinuation, at: address, count: size, &reader)
      try readMessages(block.fields(from: 4))
    }
  }

  /// Claims and reads a block whose whole length is known, and compares its checksum.
  private mutating func block(
    _ part: Part,
    at address: UInt64,
    count: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) -> Block {
    try reader.claim(part, of: object, at: address, count: count)
    byteCount += count
    guard byteCount <= Self.maximumBytes else {
      throw .broken(Violation(.c006, "the \(part.words) at byte \(address) is over any limit"))
    }
    let block = try reader.read(part, at: address, count: Int(count))
    if part == .headerContinuation, !block.bytes.starts(with: Array("OCHK".utf8)) {
      throw block.damaged("does not begin with OCHK")
    }
    try block.requireChecksum()
    return block
  }

  /// Adds the messages of a block; at its end may be a gap too short for a message.
  private mutating func readMessages(_ block: FieldReader) throws(Halt) {
    var block = block
    var hasUnusedSpace = false
    while block.remaining >= Self.messagePrefix {
      messageCount += 1
      guard messageCount <= Self.maximumMessages else {
        throw block.refused("has more than \(Self.maximumMessages) messages")
      }
      let message = try HeaderMessage(&block)
      switch message.kind {
      case .empty: hasUnusedSpace = true
      case .continuation: continuations.append(message.fields)
      default: messages.append(message)
      }
    }
    // A writer gives a gap to the unused space where there is some, and newer libraries insist.
    if hasUnusedSpace, block.remaining > 0 {
      throw block.refused("has a gap and unused space")
    }
  }
}
