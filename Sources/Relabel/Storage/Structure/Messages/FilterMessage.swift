/// The filters of a dataset's chunks.
struct FilterMessage {
  private(set) var filters: [Filter] = []
  /// Bytes of the elements that shuffle takes apart; nil without shuffle.
  private(set) var shuffledBytes: UInt64?

  private static let maximumCount = 32
  /// Ids from here on carry a name.
  private static let firstNamed: UInt64 = 256
  private static let deflate: UInt64 = 1
  private static let shuffle: UInt64 = 2
  private static let fletcher32: UInt64 = 3

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let count = Int(try fields.byte())
    guard version == 2, (1...Self.maximumCount).contains(count) else {
      throw fields.refused("has version \(version) and \(count) filters")
    }
    for _ in 0..<count {
      let id = try fields.number(2)
      let nameBytes = id >= Self.firstNamed ? Int(try fields.number(2)) : 0
      let flags = try fields.number(2)
      let parameterCount = Int(try fields.number(2))
      _ = try fields.take(nameBytes)
      var parameters: [UInt64] = []
      for _ in 0..<parameterCount { parameters.append(try fields.number(4)) }
      guard flags <= 1, Self.isSound(id, parameters) else {
        throw fields.refused("has flags \(flags) and parameters \(parameters) for filter \(id)")
      }
      switch id {
      case Self.shuffle:
        shuffledBytes = parameters[0]
        filters.append(.shuffle)
      case Self.deflate: filters.append(.deflate(level: Int(parameters[0])))
      case Self.fletcher32: filters.append(.fletcher32)
      default: filters.append(.other(id: Int(id)))
      }
    }
    try fields.requireEnd()
  }

  /// False when a filter of the format has parameters that it can't have.
  private static func isSound(_ id: UInt64, _ parameters: [UInt64]) -> Bool {
    switch id {
    case deflate: parameters.count == 1 && parameters[0] <= 9
    case shuffle: parameters.count == 1
    case fletcher32: parameters.isEmpty
    default: true
    }
  }
}
