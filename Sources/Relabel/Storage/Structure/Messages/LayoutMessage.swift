/// How the raw data of a dataset is stored; other rules refuse all but chunks.
enum LayoutMessage {
  case chunked(ChunkedLayout)
  case contiguous, compact
  /// The heap that lists the sources.
  case virtual(UInt64)

  init(_ fields: inout FieldReader) throws(Halt) {
    let version = try fields.byte()
    let storage = try fields.byte()
    switch (version, storage) {
    case (3, 0), (4, 0):
      try fields.skip(Int(try fields.number(2)))
      self = .compact
    case (3, 1), (4, 1):
      try fields.skip(16)
      self = .contiguous
    case (4, 2): self = .chunked(try ChunkedLayout(&fields))
    case (4, 3):
      self = .virtual(try fields.number(8))
      try fields.skip(4)
    default: throw fields.refused("has version \(version) and storage \(storage)")
    }
    try fields.requireEnd()
  }
}

/// Chunked storage: the shape of a chunk and where the index of the chunks is.
struct ChunkedLayout {
  /// Lengths of a chunk along the axes, then the bytes of one element.
  let chunk: [UInt64]
  let index: Index
  let indexAddress: UInt64
  /// False when the chunk at the end of an axis skips the filters.
  let filtersPartialChunks: Bool

  enum Index: UInt8 {
    case single = 1
    case implicit, fixedArray, extensibleArray, tree
  }

  private static let unfilteredEdges: UInt8 = 0x01
  private static let filteredSingle: UInt8 = 0x02
  private static let maximumRank = 33
  /// The library's own limit of bytes of a chunk.
  private static let maximumBytes = UInt64(UInt32.max)

  init(_ fields: inout FieldReader) throws(Halt) {
    let flags = try fields.byte()
    let rank = Int(try fields.byte())
    let width = Int(try fields.byte())
    guard flags & ~(Self.unfilteredEdges | Self.filteredSingle) == 0,
      (2...Self.maximumRank).contains(rank), (1...8).contains(width)
    else { throw fields.refused("has flags \(flags), \(rank) axes and lengths of \(width) bytes") }
    var chunk: [UInt64] = []
    for _ in 0..<rank { chunk.append(try fields.number(width)) }
    guard let bytes = chunk.product(), (1...Self.maximumBytes).contains(bytes) else {
      throw fields.refused("has chunks of \(chunk) bytes")
    }
    guard let index = Index(rawValue: try fields.byte()) else {
      throw fields.refused("has an index of no known kind")
    }
    guard (flags & Self.filteredSingle == 0) || index == .single else {
      throw fields.refused("has flags \(flags), which belong to another index")
    }
    switch index {
    case .single: try fields.skip(flags & Self.filteredSingle == 0 ? 0 : 12)
    case .implicit: break
    case .fixedArray: try fields.skip(1)
    case .tree: try fields.skip(6)
    case .extensibleArray:
      guard try fields.take(5).elementsEqual(ArrayGeometry.layoutParameters) else {
        throw fields.refused("has an extensible array of unusual proportions")
      }
    }
    filtersPartialChunks = flags & Self.unfilteredEdges == 0
    self.chunk = chunk
    self.index = index
    indexAddress = try fields.number(8)
  }

  /// Bytes of a chunk before the filters.
  var chunkBytes: UInt64 { chunk.product() ?? Self.maximumBytes }

  /// How many chunks cover a shape; nil when that overflows.
  func chunks(of shape: [UInt64]) -> UInt64? {
    zip(shape, chunk).map { extent, side in extent / side + (extent % side == 0 ? 0 : 1) }.product()
  }
}
