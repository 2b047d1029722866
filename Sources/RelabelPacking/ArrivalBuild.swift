import AnnotatorOutputs
import Relabel
import RelabelVerification

/// A dataset in the making whose images arrive one after the other, shard by shard.
struct ArrivalBuild: ~Copyable {
  private let options: PackOptions
  private let traits: SourceTraits
  /// Nil until enough images have come to settle the grid.
  private var build: DatasetBuild?
  private var shard: ShardBuild?
  /// The number of the shard that is being written, and images that went into it.
  private var (number, count) = (0, 0)
  private var waiting: [PendingImage] = []
  private var waitingBytes = 0

  /// Images and bytes that are waited for before they are encoded: an annotator may be slow, and faults are to be
  /// told soon.
  private static let (maximumImages, maximumBytes) = (256, 16 << 20)

  /// - Parameters:
  ///   - options: what the user said.
  ///   - traits: what the source settles.
  init(_ options: PackOptions, _ traits: SourceTraits) {
    (self.options, self.traits) = (options, traits)
  }

  /// Images dealt with, left-out ones included.
  var images: Int { (build?.images ?? 0) + count }

  /// Takes an image; true when it and those before have been packed.
  ///
  /// - Throws: the fault of a bad one that may not be left out, `.usage` or `.io`.
  mutating func add(
    _ image: PendingImage,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> Bool {
    waiting.append(image)
    waitingBytes += image.byteCount
    if build == nil, waiting.count < ShapeSample.images { return false }
    let build = try begun(folder)
    let room = min(min(build.plan.window, Self.maximumImages), build.plan.imagesPerShard - count)
    guard waiting.count >= room || waitingBytes >= Self.maximumBytes else { return false }
    try pack(build, folder)
    return true
  }

  /// Packs what is waiting, and closes the last shard.
  mutating func finish(_ folder: borrowing OutputFolder) throws(RelabelError) -> DatasetBuild {
    try pack(begun(folder), folder)
    if count > 0 { try close(folder) }
    return try begun(folder)
  }

  /// Keeps the full shards that an earlier run has published, and says what is in them.
  ///
  /// A last shard that is not full is written anew: more images may follow.
  /// - Throws: `.usage` for a shard of another build, `.corrupt` for one that is damaged, `.io`.
  mutating func keepShards(
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> [(name: String, keys: [String])] {
    var kept: [(name: String, keys: [String])] = []
    while true {
      let name = folder.shardName(number)
      let path = folder.path(of: name)
      guard Folder.hasFile(path) else { return kept }
      let keys = try FinishedShard.keys(path)
      if build == nil {
        let shape = try ShardReader(path).header.shape
        let sample = ShapeSample(shape: shape, keys: Array(keys.prefix(ShapeSample.images)))
        build = try Self.begin(sample, options, traits, folder)
      }
      guard var build, keys.count == build.plan.imagesPerShard else { return kept }
      build.keep(try FinishedShard(path, name, build, options).keptAsItIs())
      self.build = build
      kept.append((name, keys))
      number += 1
    }
  }

  private mutating func begun(
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> DatasetBuild {
    if let build { return build }
    let waiting = waiting
    let sample = try ShapeSample(waiting.count, options) { waiting[$0] }
    let begun = try Self.begin(sample, options, traits, folder)
    build = begun
    return begun
  }

  private static func begin(
    _ sample: ShapeSample,
    _ options: PackOptions,
    _ traits: SourceTraits,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> DatasetBuild {
    let plan = try BuildPlan(
      options,
      traits: traits,
      shape: sample.shape,
      keys: sample.keys,
      listing: nil
    )
    try folder.prepare(buildID: plan.header.buildID, overwrites: options.overwrites)
    return try DatasetBuild(plan, images: nil)
  }

  private mutating func pack(
    _ build: DatasetBuild,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) {
    let plan = build.plan
    var first = 0
    while first < waiting.count {
      if shard == nil {
        let path = folder.path(of: folder.shardName(number))
        shard = try ShardBuild(path, plan, options, build.sample)
      }
      let room = min(min(plan.window, Self.maximumImages), plan.imagesPerShard - count)
      let last = min(first + room, waiting.count)
      try shard?.append(Array(waiting[first..<last]))
      count += last - first
      first = last
      if count == plan.imagesPerShard { try close(folder) }
    }
    waiting = []
    waitingBytes = 0
  }

  private mutating func close(_ folder: borrowing OutputFolder) throws(RelabelError) {
    guard let finished = shard.take() else { return }
    try build?.add(finished, as: folder.shardName(number))
    (number, count) = (number + 1, 0)
  }
}
