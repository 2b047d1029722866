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
  /// The number of the shard that is being written, its rows, and images that came for it, left-out ones included.
  private var (number, rows, dealt) = (0, 0, 0)
  /// Images that may have a map, and those that have none.
  private var (waiting, failing) = ([PendingImage](), [PendingImage]())
  private var waitingBytes = 0
  /// The batch that the last view belongs to, where views have one: a shard ends between batches.
  private var batch: ViewBatch?
  private var ledger: ViewLedger?

  /// Images and bytes that are waited for before they are encoded: an annotator may be slow, and faults are to be
  /// told soon.
  private static let (maximumImages, maximumBytes) = (256, 16 << 20)

  /// - Parameters:
  ///   - options: what the user said.
  ///   - traits: what the source settles.
  init(_ options: PackOptions, _ traits: SourceTraits) {
    (self.options, self.traits) = (options, traits)
    ledger = traits.views == nil ? nil : ViewLedger(traits.columns)
  }

  /// Images dealt with, left-out ones included.
  var images: Int { (build?.images ?? 0) + dealt }

  /// Takes an image; true when it and those before have been packed.
  ///
  /// - Throws: the fault of a bad one that may not be left out, `.usage` or `.io`.
  mutating func add(
    _ image: PendingImage,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> Bool {
    // What has no map takes no place among the rows: they are written the same way without it.
    if image.isFailing { failing.append(image) } else { waiting.append(image) }
    waitingBytes += image.byteCount
    if build == nil, !isEnoughToBegin { return false }
    let build = try begun(folder)
    let free = max(build.plan.imagesPerShard - rows, 1)
    let room = min(min(build.plan.window, Self.maximumImages), free)
    let isMuch = failing.count >= Self.maximumImages || waitingBytes >= Self.maximumBytes
    guard waiting.count >= room || isMuch else { return false }
    try pack(build, folder, isLast: isMuch)
    return waiting.isEmpty
  }

  /// True where what is waiting settles the grid, and the quality of factors where there is a budget.
  private var isEnoughToBegin: Bool {
    let count = waiting.count + failing.count
    guard options.factors?.budget != nil else { return count >= ShapeSample.images }
    return count >= BudgetSearch.mostImages
      || count >= ShapeSample.images && waitingBytes >= BudgetSearch.mostBytes
  }

  /// Packs what is waiting, and closes the last shard.
  mutating func finish(_ folder: borrowing OutputFolder) throws(RelabelError) -> DatasetBuild {
    try pack(begun(folder), folder, isLast: true)
    try ledger?.checkPartners()
    if dealt > 0 { try close(folder) }
    return try begun(folder)
  }

  /// Keeps the full shards that an earlier run has published, and says what is in them.
  ///
  /// A last shard that is not full is written anew: more images may follow.
  ///
  /// - Parameters:
  ///   - folder: where they are.
  ///   - note: takes the rows of each.
  /// - Throws: `.usage` for a shard of another build, `.corrupt` for one that is damaged, `.io`, what `note` throws.
  mutating func keepShards(
    _ folder: borrowing OutputFolder,
    _ note: (PackedRows) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    while true {
      let name = folder.shardName(number)
      let path = folder.path(of: name)
      guard Folder.hasFile(path) else { return }
      let (rows, shape, quality) = try FinishedShard.rows(path, name)
      if build == nil {
        let keys = rows.rows.prefix(ShapeSample.images).map(\.key)
        let sample = ShapeSample(shape: shape, keys: keys)
        build = try Self.begin(sample, options, traits, folder) { plan throws(RelabelError) in
          guard options.factors?.budget != nil else { return }
          // The images that settled it don't come again.
          guard let quality else {
            throw RelabelError(
              .usage,
              "the earlier run's shard does not say the quality of its factors: resume with --maps factors --quality",
              at: Location(file: path)
            )
          }
          try plan.settle(quality: quality, listing: nil)
        }
      }
      guard var build, rows.rows.count >= build.plan.imagesPerShard else { return }
      let kept = try FinishedShard(path, name, build, options).keptAsItIs()
      build.keep(kept)
      self.build = build
      ledger?.add(kept, rows, number: number)
      try note(rows)
      number += 1
    }
  }

  private mutating func begun(
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> DatasetBuild {
    if let build { return build }
    let waiting = waiting + failing
    let sample = try ShapeSample(waiting.count, options) { waiting[$0] }
    let images = self.waiting
    let begun = try Self.begin(sample, options, traits, folder) { plan throws(RelabelError) in
      try plan.settleBudget(options, images, listing: nil)
    }
    build = begun
    return begun
  }

  private static func begin(
    _ sample: ShapeSample,
    _ options: PackOptions,
    _ traits: SourceTraits,
    _ folder: borrowing OutputFolder,
    settle: (inout BuildPlan) throws(RelabelError) -> Void
  ) throws(RelabelError) -> DatasetBuild {
    var plan = try BuildPlan(
      options,
      traits: traits,
      shape: sample.shape,
      keys: sample.keys,
      listing: nil
    )
    try settle(&plan)
    try folder.prepare(buildID: plan.header.buildID, overwrites: options.overwrites)
    return try DatasetBuild(plan, images: nil)
  }

  /// Packs what is waiting; unless it `isLast`, what would begin a window goes on waiting for the rest of it.
  ///
  /// The bytes of a shard depend on its windows, so that a budget, which waits for more images, must not cut others.
  private mutating func pack(
    _ build: DatasetBuild,
    _ folder: borrowing OutputFolder,
    isLast: Bool
  ) throws(RelabelError) {
    let plan = build.plan
    if !failing.isEmpty {
      try open(build, folder)
      for view in failing { ledger?.add(leftOut: view) }
      try shard?.append(failing)
      dealt += failing.count
      failing = []
    }
    var first = 0
    while first < waiting.count {
      try open(build, folder)
      if rows >= plan.imagesPerShard, ledger?.batch(of: waiting[first]) != batch {
        try close(folder)
        try open(build, folder)
      }
      let free = max(plan.imagesPerShard - rows, 1)
      let room = min(min(plan.window, Self.maximumImages), free)
      guard isLast || waiting.count - first >= room else { break }
      let last = min(first + room, waiting.count)
      for view in waiting[first..<last] { try ledger?.add(view, shard: number) }
      try shard?.append(Array(waiting[first..<last]))
      // A shard is full by its rows: which images were left out is not known any more to a run that goes on.
      rows = shard?.rows ?? 0
      dealt += last - first
      batch = ledger?.batch(of: waiting[last - 1])
      first = last
      // A batch may go on with the next view.
      if rows >= plan.imagesPerShard, batch == nil { try close(folder) }
    }
    waiting.removeFirst(first)
    waitingBytes = waiting.reduce(0) { $0 + $1.byteCount }
  }

  /// Begins the shard that images go to, unless one is begun.
  private mutating func open(
    _ build: DatasetBuild,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) {
    guard shard == nil else { return }
    let path = folder.path(of: folder.shardName(number))
    shard = try ShardBuild(path, build.plan, options, build.sample)
  }

  private mutating func close(_ folder: borrowing OutputFolder) throws(RelabelError) {
    guard let finished = shard.take() else { return }
    try build?.add(finished, as: folder.shardName(number))
    (number, rows, dealt) = (number + 1, 0, 0)
  }
}
