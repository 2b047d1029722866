import Relabel

/// The rows of a shard that an earlier run has packed, and that a run goes on after.
public struct PackedRows: Sendable {
  /// What tells a row from others.
  public struct Row: Sendable {
    /// The key of its image.
    public let key: String
    /// The place of its image in the listing of that run.
    public let imageIndex: Int64
    /// The number of its view within the image; nil where rows are images.
    public let view: Int32?

    /// Makes a row.
    public init(key: String, imageIndex: Int64, view: Int32?) {
      (self.key, self.imageIndex, self.view) = (key, imageIndex, view)
    }
  }

  /// The file that holds them.
  public let shard: String
  /// The rows, in their order.
  public let rows: [Row]

  /// Makes the rows of a shard.
  public init(shard: String, rows: [Row]) { (self.shard, self.rows) = (shard, rows) }
}
