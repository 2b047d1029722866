import Relabel

/// The shards of a dataset that are finished so far.
struct DatasetBuild {
  let plan: BuildPlan
  private var shards: [DatasetIndex.Shard] = []
  private var leftOut: [DatasetIndex.LeftOut] = []
  private(set) var keptShards = 0
  /// Shards of an earlier run that no longer were what the input gives.
  private(set) var remadeShards = 0
  /// Where the effect of storing is measured.
  let sample: EffectSample?
  /// What was seen of the images.
  private(set) var sight = ImageSight()

  /// A dataset without shards.
  ///
  /// - Parameters:
  ///   - plan: what all shards have in common.
  ///   - images: how many there will be, nil when that is not known.
  /// - Throws: as `EffectSample`.
  init(_ plan: BuildPlan, images: Int?) throws(RelabelError) {
    self.plan = plan
    sample = try EffectSample(plan.header, of: images)
  }

  /// What storing did to the targets of the sample; nil where none of it could be packed.
  var effect: TargetEffect? { sight.effect.images == 0 ? nil : sight.effect }

  /// Images dealt with, left-out ones included.
  var images: Int { shards.reduce(leftOut.count) { $0 + $1.rows } }

  /// Publishes a shard; one without rows is dropped, its number stays unused.
  mutating func add(_ shard: consuming ShardBuild, as name: String) throws(RelabelError) {
    leftOut += shard.leftOut
    sight.add(shard.sight)
    if shard.rows > 0 { shards.append(try shard.publish(as: name)) }
  }

  /// A shard that an earlier run has published.
  struct KeptShard {
    let shard: DatasetIndex.Shard
    let leftOut: [DatasetIndex.LeftOut]
    let sight: ImageSight
  }

  /// Takes over a shard.
  mutating func keep(_ kept: KeptShard) {
    shards.append(kept.shard)
    leftOut += kept.leftOut
    sight.add(kept.sight)
    keptShards += 1
  }

  /// Notes that a shard of an earlier run is made again.
  mutating func remake() { remadeShards += 1 }

  /// What was assumed, as the index records it; it decides no byte of a shard.
  private var assumed: [String: JSON] {
    let names = plan.assumptions.map { ($0.name, JSON.string($0.value)) }
    return ["assumed": .object(Dictionary(names) { first, _ in first })]
  }

  /// What of the scores does not fit what they were packed as.
  var doubts: [String] {
    sight.looks.doubts(plan.header.scoreKind) + sight.cut.doubts(plan.header)
  }

  /// The index of the finished dataset.
  func index(named name: String) -> DatasetIndex {
    DatasetIndex(
      name: name,
      sources: images,
      buildID: plan.header.buildID,
      numClasses: plan.header.numClasses,
      scoreKind: plan.header.scoreKind,
      options: plan.options.merging(assumed) { own, _ in own },
      annotator: plan.annotator,
      classesSHA256: plan.header.metadata.classesDigest,
      shards: shards,
      leftOut: leftOut.sorted { ($0.imageIndex ?? .max) < ($1.imageIndex ?? .max) },
      writer: plan.header.writer
    )
  }
}
