import AnnotatorOutputs
import Relabel

extension BuildPlan {
  /// What a chunk of views holds at most where the user does not say: reading one view decodes all of them.
  private static let viewChunkBytes = 64 << 10
  /// Rows that it holds even where they are larger.
  private static let viewChunkLeast = 8
  /// What a shard of views holds where the user does not say, before compression and at most.
  private static let (viewShardBytes, viewShardRows) = (256 << 20, 1 << 20)

  /// Rows of a shard: whole groups of those that are read together.
  static func rowsPerShard(
    of views: ViewTraits,
    _ header: ShardHeader,
    _ options: PackOptions
  ) -> Int {
    if let given = options.givenImagesPerShard { return given }
    let rows = max(
      PackOptions.usualImagesPerShard,
      min(viewShardBytes / header.labelBytes, viewShardRows)
    )
    let together = max(1, views.rowsTogether ?? 1)
    return max(together, rows - rows % together)
  }

  /// Rows of a chunk: those that are read together, as far as they are not too many.
  static func rowsPerChunk(
    of views: ViewTraits,
    _ header: ShardHeader,
    _ options: PackOptions
  ) -> Int {
    if let given = options.givenImagesPerChunk { return given }
    // A few rows at least: ids of all classes are one pattern, which deflate has to meet again.
    let most = max(
      1,
      min(viewChunkLeast, Layout.maximumChunkBytes / header.labelBytes),
      viewChunkBytes / header.labelBytes
    )
    guard let together = views.rowsTogether else { return min(most, 64) }
    // Few small ones share a chunk, so that there are not more chunks than the profile likes; large ones are cut into
    // parts of one size.
    if together <= most { return together * max(1, min(most, 64) / together) }
    let parts = (together + most - 1) / most
    return (together + parts - 1) / parts
  }

  /// The temperature that the source or its user has stated.
  static func copy(
    _ temperature: Double,
    to header: inout ShardHeader,
    _ options: PackOptions
  ) throws(RelabelError) {
    if options.annotator?["temperature"] != nil, header.temperature != temperature {
      throw RelabelError(
        .usage,
        "the annotator document says temperature \(header.temperature), the source of the views \(temperature)"
      )
    }
    header.temperature = temperature
  }
}
