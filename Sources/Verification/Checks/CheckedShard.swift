package import Relabel

/// What one shard holds, for the checks across shards.
package struct CheckedShard: Sendable {
  package let header: ShardHeader
  package let rows: Int
  package var keys: [String] = []
  package var imageIndexes: [Int64] = []
  package var scoreRange: ClosedRange<Float>?
  package var largestError: Double?
}
