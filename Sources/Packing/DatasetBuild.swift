import Relabel

/// The shards of a dataset that are finished so far.
struct DatasetBuild {
  let plan: BuildPlan
  private var shards: [DatasetIndex.Shard] = []
  private var leftOut: [DatasetIndex.LeftOut] = []
  private(set) var keptShards = 0

  init(_ plan: BuildPlan) {
    self.plan = plan
  }

  /// Images dealt with, left-out ones included.
  var images: Int { shards.reduce(leftOut.count) { $0 + $1.rows } }

  /// Publishes a shard; one without rows is dropped, its number stays unused.
  mutating func add(_ shard: consuming ShardBuild, as name: String) throws(RelabelError) {
    leftOut += shard.leftOut
    if shard.rows > 0 { shards.append(try shard.publish(as: name)) }
  }

  /// Takes over a shard that an earlier run has published.
  mutating func keep(_ shard: DatasetIndex.Shard, leftOut: [DatasetIndex.LeftOut]) {
    shards.append(shard)
    self.leftOut += leftOut
    keptShards += 1
  }

  /// The index of the finished dataset.
  func index(named name: String) -> DatasetIndex {
    DatasetIndex(
      name: name,
      sources: images,
      buildID: plan.header.buildID,
      numClasses: plan.header.numClasses,
      scoreKind: plan.header.scoreKind,
      options: plan.options,
      annotator: plan.annotator,
      classesSHA256: plan.header.metadata.classesDigest,
      shards: shards,
      leftOut: leftOut.sorted { ($0.imageIndex ?? .max) < ($1.imageIndex ?? .max) },
      writer: plan.header.writer
    )
  }
}
