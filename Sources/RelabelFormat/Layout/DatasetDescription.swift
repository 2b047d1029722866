/// How a dataset's raw data is stored.
package enum StorageKind: Hashable, Sendable {
  case chunked, contiguous, compact, virtual, external
}

/// One filter of a chunk pipeline.
package enum Filter: Hashable, Sendable, CustomStringConvertible {
  case shuffle
  case deflate(level: Int)
  case fletcher32
  case other(id: Int)

  package var description: String {
    switch self {
    case .shuffle: "shuffle"
    case .deflate: "deflate"
    case .fletcher32: "fletcher32"
    case .other(let id): "filter \(id)"
    }
  }
}

/// What a dataset is made of.
package struct DatasetDescription: Hashable, Sendable {
  package var type: ElementType
  package var storage: StorageKind = .chunked
  /// False when the library would leave the chunk at the end of an axis unfiltered.
  package var filtersPartialChunks: Bool = true
  package var shape: [Int]
  /// Nil stands for an axis that can grow without limit.
  package var maximumShape: [Int?]
  package var chunk: [Int]
  package var filters: [Filter]
  /// False when the library would leave unwritten elements undefined.
  package var writesFillValue: Bool = true
  /// Little-endian bytes of one element; nil when the file defines none.
  package var fillValue: [UInt8]?

  /// True when only the first axis grows and every chunk spans all others.
  package var hasWholeRows: Bool {
    shape.dropFirst().elementsEqual(chunk.dropFirst())
      && shape.dropFirst().elementsEqual(maximumShape.dropFirst(), by: { $0 == $1 })
  }

  package init(
    type: ElementType,
    shape: [Int],
    maximumShape: [Int?],
    chunk: [Int],
    filters: [Filter],
    fillValue: [UInt8]?
  ) {
    self.type = type
    self.shape = shape
    self.maximumShape = maximumShape
    self.chunk = chunk
    self.filters = filters
    self.fillValue = fillValue
  }
}
