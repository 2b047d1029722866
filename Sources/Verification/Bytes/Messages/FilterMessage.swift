/// The filters of a dataset's chunks.
struct FilterMessage {
  let count: Int

  private static let maximumCount = 32
  /// Ids from here on carry a name.
  private static let firstNamed: UInt64 = 256
  /// How many parameters the filters of the format have, by id: deflate, shuffle, fletcher32.
  private static let parameters: [UInt64: UInt64] = [1: 1, 2: 1, 3: 0]

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    count = Int(try fields.byte())
    guard version == 2, (1...Self.maximumCount).contains(count) else {
      throw fields.refused("has version \(version) and \(count) filters")
    }
    for _ in 0..<count {
      let id = try fields.number(2)
      let nameBytes = id >= Self.firstNamed ? Int(try fields.number(2)) : 0
      let flags = try fields.number(2)
      let parameters = try fields.number(2)
      guard flags <= 1, parameters == Self.parameters[id] ?? parameters else {
        throw fields.refused("has flags \(flags) and \(parameters) parameters for filter \(id)")
      }
      if nameBytes > 0 { _ = try fields.take(nameBytes) }
      try fields.skip(4 * Int(parameters))
    }
    try fields.requireEnd()
  }
}
