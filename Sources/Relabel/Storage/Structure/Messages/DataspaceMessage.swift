/// The shape of a dataset or an attribute.
struct DataspaceMessage {
  /// Lengths of the axes; none for a scalar.
  let shape: [UInt64]
  /// Nil stands for an axis without limit.
  let maximumShape: [UInt64?]
  /// The limits of the axes that have one, the lengths of the others: chunks are numbered by these.
  let reachableShape: [UInt64]
  /// Number of elements; nil when it overflows.
  let count: UInt64?
  /// True when there are no elements and no axes.
  let isNull: Bool

  private static let maximumRank = 32
  private static let unlimited = UInt64.max

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let rank = Int(try fields.byte())
    let flags = try fields.byte()
    let type = try fields.byte()
    guard version == 2, flags & ~1 == 0, type <= 2 else {
      throw fields.refused("has version \(version), flags \(flags) and type \(type)")
    }
    guard rank <= Self.maximumRank, (rank > 0) == (type == 1) else {
      throw fields.refused("has \(rank) axes")
    }
    var shape: [UInt64] = []
    for _ in 0..<rank { shape.append(try fields.number(8)) }
    guard shape.allSatisfy({ $0 <= Int64.max }) else {
      throw fields.refused("is of shape \(shape)")
    }
    var maximumShape: [UInt64?] = shape
    if flags & 1 != 0 {
      for axis in 0..<rank {
        let limit = try fields.number(8)
        guard limit >= shape[axis] else { throw fields.refused("is larger than its own limit") }
        maximumShape[axis] = limit == Self.unlimited ? nil : limit
      }
    }
    try fields.requireEnd()
    self.shape = shape
    self.maximumShape = maximumShape
    reachableShape = zip(maximumShape, shape).map { $0 ?? $1 }
    isNull = type == 2
    count = isNull ? 0 : shape.product()
  }
}

extension DataspaceMessage {
  /// The lengths of the axes as the HDF5 library tells them.
  var extent: [Int] { isNull ? [0] : shape.map(Int.init(clamping:)) }
  /// The limits of the axes as the HDF5 library tells them.
  var maximumExtent: [Int?] { isNull ? [0] : maximumShape.map { $0.map(Int.init(clamping:)) } }
}

extension [UInt64] {
  /// The product of all, or nil when it overflows.
  func product() -> UInt64? {
    reduce(1 as UInt64?) { product, factor in
      guard let (value, overflow) = product?.multipliedReportingOverflow(by: factor), !overflow
      else { return nil }
      return value
    }
  }
}
