import Relabel
import RelabelVerification

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
    /// Where rows are views, what they say of each other.
    let views: ShardFacts.Views?
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
    var assumed: [String: JSON] = ["assumed": .object(Dictionary(names) { first, _ in first })]
    // The quality that it settled decides the bytes: who resumes may give that instead.
    if let budget = plan.budget { assumed["factor_budget"] = .string("\(budget)") }
    return assumed
  }

  /// What of the scores does not fit what they were packed as.
  var doubts: [String] {
    sight.looks.doubts(plan.header, sight.effect) + sight.cut.doubts(plan.header)
  }

  /// Writes the index of the finished dataset, which makes it complete.
  ///
  /// - Parameters:
  ///   - input: what was seen of the input.
  ///   - name: what shard files are called.
  ///   - folder: where the shards are.
  /// - Returns: the summary.
  /// - Throws: `.invalidInput` when nothing could be packed, `.io`.
  func publish(
    _ input: InputTally,
    named name: String,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> PackSummary {
    var index = index(named: name)
    guard !index.shards.isEmpty else {
      throw RelabelError(
        .invalidInput,
        "no image could be packed: \(index.leftOut.first?.reason ?? "")"
      )
    }
    if !input.copies.isEmpty {
      index.options["equal_copies"] = .integer(Int64(input.copies.count))
    }
    let bytes = try index.encoded()
    try folder.check(index.shards)
    try PublishedFile.write(bytes, to: folder.path(of: DatasetIndex.fileName))
    return PackSummary(
      index: index,
      keptShards: keptShards,
      remadeShards: remadeShards,
      outputBytes: index.shards.reduce(Int64(bytes.count)) { $0 + $1.bytes },
      inputBytes: input.bytes,
      effect: effect,
      cut: sight.cut.images == 0 ? nil : sight.cut,
      alternative: sight.alternative.best.images == 0 ? nil : sight.alternative,
      targetError: plan.factors == nil ? nil : sight.targetError,
      agreement: sight.agreement,
      assumptions: plan.assumptions,
      doubts: doubts,
      ignored: input.ignored,
      copies: input.copies,
      unmatchedListLines: input.unmatchedListLines,
      exclusions: Exclusions(input.exclusions, index.leftOut)
    )
  }

  /// The index of the finished dataset.
  private func index(named name: String) -> DatasetIndex {
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

/// What was seen of an input beside its images.
struct InputTally {
  /// Bytes that were read, or 0 if that is not known.
  var bytes: Int64 = 0
  /// Files that were not read as input.
  var ignored: [String] = []
  /// Images that were there more than once as equal copies.
  var copies: [String] = []
  /// Lines of the image list that no map was found for.
  var unmatchedListLines: [String] = []
  /// What people marked to be left out.
  var exclusions: ReviewMarks?
}
