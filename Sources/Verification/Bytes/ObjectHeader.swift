internal import Relabel

/// An object header of version 2 with its continuations, all checksums right.
struct ObjectHeader {
  /// True when times of the object are stored.
  let hasTimes: Bool
  private(set) var messages: [HeaderMessage] = []

  private static let version: UInt8 = 2
  private static let creationOrder: UInt8 = 0x0C
  private static let phaseChange: UInt8 = 0x10
  private static let times: UInt8 = 0x20
  private static let reserved: UInt8 = 0xC0
  /// Signature, version, flags, times, phase change and the longest size.
  private static let longestPrefix: UInt64 = 34
  private static let messagePrefix = 4
  /// As many bytes as the attributes and links of a shard can have.
  private static let maximumBytes = UInt64(Layout.maximumAttributes) << 16
  /// Continuation blocks of one header; HDF5 needs a few.
  private static let maximumBlocks = 1_000

  /// Reads the header at `address`.
  init(_ address: UInt64, of object: Int, _ reader: inout BlockReader) throws(Halt) {
    let fileBytes = reader.source.byteCount
    guard address < fileBytes else {
      throw .broken(
        Violation("C001", "an object header should be at byte \(address), outside the file")
      )
    }
    let prefixBytes = Int(min(Self.longestPrefix, fileBytes - address))
    let prefix = try reader.read(.header, at: address, count: prefixBytes)
    try prefix.require(signature: "OHDR", version: Self.version)
    var fields = prefix.fields(from: 5, to: prefixBytes)
    let flags = try fields.byte()
    hasTimes = flags & Self.times != 0
    if hasTimes { try fields.skip(16) }
    if flags & Self.phaseChange != 0 { try fields.skip(4) }
    let size = try fields.number(1 << Int(flags & 3))
    let start = prefixBytes - fields.remaining
    let block = try Self.block(
      .header,
      at: address,
      count: size.addingReportingOverflow(UInt64(start) + 4),
      of: object,
      &reader
    )
    guard flags & (Self.creationOrder | Self.reserved) == 0 else {
      throw .broken(Violation("C012", "\(block.name) has flags \(flags), which no shard has"))
    }
    var continuations = try read(block.fields(from: start))
    try follow(&continuations, of: object, &reader)
  }

  private mutating func follow(
    _ continuations: inout [FieldReader],
    of object: Int,
    _ reader: inout BlockReader
  ) throws(Halt) {
    var known: Set<UInt64> = []
    while var link = continuations.popLast() {
      let address = try link.number(8)
      let size = try link.number(8)
      try link.requireEnd()
      guard known.insert(address).inserted, known.count <= Self.maximumBlocks else {
        throw link.refused("leads to byte \(address) once more, or is one of too many")
      }
      let block = try Self.block(
        .headerContinuation,
        at: address,
        count: (size, false),
        of: object,
        &reader
      )
      continuations += try read(block.fields(from: 4))
    }
  }

  /// Claims and reads a block whose whole length is known, and compares its checksum.
  private static func block(
    _ part: Part,
    at address: UInt64,
    count: (partialValue: UInt64, overflow: Bool),
    of object: Int,
    _ reader: inout BlockReader
  ) throws(Halt) -> Block {
    let bytes = count.overflow ? UInt64.max : count.partialValue
    try reader.claim(part, of: object, at: address, count: bytes)
    guard bytes <= maximumBytes else {
      throw .broken(
        Violation("C006", "the \(part.words) at byte \(address) has \(bytes) bytes, over any limit")
      )
    }
    let block = try reader.read(part, at: address, count: Int(bytes))
    if part == .headerContinuation, !block.bytes.starts(with: Array("OCHK".utf8)) {
      throw block.damaged("does not begin with OCHK")
    }
    try block.requireChecksum()
    return block
  }

  /// Adds the messages of a block; at its end may be a gap too short for a message.
  ///
  /// - Returns: the continuations among them.
  private mutating func read(_ block: FieldReader) throws(Halt) -> [FieldReader] {
    var block = block
    var continuations: [FieldReader] = []
    var hasUnusedSpace = false
    while block.remaining >= Self.messagePrefix {
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
    return continuations
  }
}
