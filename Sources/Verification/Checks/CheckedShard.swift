package import HDF5
package import Relabel

/// What one shard holds, for the checks across shards.
package struct CheckedShard: Sendable {
  package let header: ShardHeader
  package let rows: Int
  package var keys: [String] = []
  package var imageIndexes: [Int64] = []
  package var scoreRange: ClosedRange<Float>?
  package var largestError: Double?
  /// Types of the datasets that not every shard has.
  package var optional: [String: ElementType] = [:]

  /// True when both shards can be of one dataset (spec, section 11.7).
  func agrees(with other: CheckedShard) -> Bool {
    var theirs = other.header
    // The deflate level is the writer's affair: no reader needs it.
    if case .deflate = header.compression, case .deflate = theirs.compression {
      theirs.compression = header.compression
    }
    return header == theirs && optional == other.optional
  }
}
