import AnnotatorOutputs
public import Relabel
import Verification

/// Turns raw annotator outputs into a dataset of verified shards.
public struct Packer: Sendable {
  private let options: PackOptions
  private let progress: @Sendable (PackProgress) -> Void

  /// Images that are loaded and encoded together: about 8 MB of them, which bounds memory at any number
  /// of jobs.
  private static func window(_ header: ShardHeader) -> Int {
    max(64, min(1024, (8 << 20) / header.labelBytes))
  }

  /// Images and bytes of a stream that are waited for before they are encoded: an annotator may be slow, and
  /// faults are to be told soon.
  private static let (streamImages, streamBytes) = (256, 16 << 20)
  /// Images that decide on the grid.
  private static let shapeSample = 25

  /// Makes a packer.
  ///
  /// - Parameters:
  ///   - options: what to do.
  ///   - progress: called now and then, from the calling thread.
  public init(
    _ options: PackOptions,
    progress: @escaping @Sendable (PackProgress) -> Void = { _ in }
  ) {
    self.options = options
    self.progress = progress
  }

  /// Packs everything; `index.json` appears last.
  ///
  /// A run that dies leaves finished shards and no index; the same run again completes the dataset
  /// to the bytes of an undisturbed run.
  /// - Throws: `.usage`, `.invalidInput`, `.unsafeInput`, `.io` or `.internalFault`.
  public func run() throws(RelabelError) -> PackSummary {
    try options.validate()
    let folder = try OutputFolder.claim(options.output, name: options.name)
    // Before the inputs are listed, which may take a while.
    if !options.overwrites { try folder.refuseFinishedDataset() }
    var inputOptions = InputOptions(
      topK: options.topK,
      numClasses: options.numClasses ?? options.classes?.entries.count,
      scoreKind: options.scoreKind,
      imageList: options.imageList,
      spoolDirectory: options.output
    )
    inputOptions.stripComponents = options.stripComponents
    let input = try AnnotatorOutput.open(options.inputs, options: inputOptions)
    let build: DatasetBuild
    switch input.images {
    case .listed(let images):
      let (shape, keys) = try commonShape(images.count) { place throws(RelabelError) in
        try images[place]
      }
      let plan = try BuildPlan(
        options,
        traits: input.traits,
        shape: shape,
        keys: keys,
        listing: images
      )
      try folder.prepare(buildID: plan.header.buildID, overwrites: options.overwrites)
      var listed = try DatasetBuild(plan, images: images.count)
      let places = RowPermutation.places(images.count, plan.header.rowOrder)
      for (number, first) in stride(
        from: 0,
        to: places.count,
        by: plan.imagesPerShard
      ).enumerated() {
        let last = min(first + plan.imagesPerShard, places.count)
        let shard = try images.images(at: places[first..<last])
        try pack(shard, number, of: places.count, folder, &listed)
      }
      build = listed
    case .arriving(let stream):
      build = try pack(stream, traits: input.traits, folder)
    }
    return try publish(build, input, folder)
  }

  /// Grid and k of the dataset: what most of the first sound images in listing order have; and the keys
  /// of these images.
  ///
  /// Not simply the first one's: then one odd image in front would leave out all the others.
  private func commonShape(
    _ count: Int,
    _ image: (Int) throws(RelabelError) -> PendingImage
  ) throws(RelabelError) -> (shape: MapShape, keys: [String]) {
    var counts: [MapShape: Int] = [:]
    var order: [MapShape] = []
    var firstError: RelabelError?
    var keys: [String] = []
    for place in 0..<count {
      if keys.count == Self.shapeSample { break }
      let image = try image(place)
      do {
        let shape = try image.load().shape
        keys.append(image.key)
        counts[shape, default: 0] += 1
        if counts[shape] == 1 { order.append(shape) }
      } catch {
        let error = error.located(Location(file: image.source, key: image.key))
        guard options.skipsBadInput, error.isBadInput else { throw error }
        firstError = firstError ?? error
      }
    }
    let most = counts.values.max()
    if let common = order.first(where: { counts[$0] == most }) { return (common, keys) }
    throw firstError ?? RelabelError(.usage, "there are no label maps in the input")
  }

  /// Packs one shard of listed images, or keeps the one that an earlier run has finished.
  private func pack(
    _ images: [PendingImage],
    _ number: Int,
    of total: Int,
    _ folder: borrowing OutputFolder,
    _ build: inout DatasetBuild
  ) throws(RelabelError) {
    let name = folder.shardName(number)
    let path = folder.path(of: name)
    let isFinished = Folder.hasFile(path)
    let finished = FinishedShard(
      path: path,
      name: name,
      plan: build.plan,
      sample: build.sample,
      options: options
    )
    if isFinished, let kept = try finished.kept(images) {
      build.keep(kept)
    } else {
      if isFinished { build.remake() }
      var shard = try ShardBuild(path, build.plan, options, build.sample)
      let window = Self.window(build.plan.header)
      for first in stride(from: 0, to: images.count, by: window) {
        let last = min(first + window, images.count)
        try shard.append(Array(images[first..<last]))
        progress(PackProgress(images: build.images + last, total: total))
      }
      try build.add(shard, as: name)
    }
    progress(PackProgress(images: build.images, total: total))
  }

  /// Packs images in the order of their arrival.
  private func pack(
    _ stream: ArrivalStream,
    traits: SourceTraits,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> DatasetBuild {
    let arriving = ReadAhead(stream, jobs: options.jobs)
    var waiting: [PendingImage] = []
    while waiting.count < Self.shapeSample, let image = try arriving.next() {
      waiting.append(image)
    }
    let (shape, keys) = try commonShape(waiting.count) { waiting[$0] }
    let plan = try BuildPlan(options, traits: traits, shape: shape, keys: keys, listing: nil)
    try folder.prepare(buildID: plan.header.buildID, overwrites: options.overwrites)
    var build = try DatasetBuild(plan, images: nil)
    let window = min(Self.window(plan.header), Self.streamImages)
    var number = 0
    while true {
      var count = 0
      let name = folder.shardName(number)
      var shard = try ShardBuild(folder.path(of: name), plan, options, build.sample)
      while count < plan.imagesPerShard {
        let wanted = min(window, plan.imagesPerShard - count)
        var bytes = waiting.prefix(wanted).reduce(0) { $0 + $1.byteCount }
        while waiting.count < wanted, bytes < Self.streamBytes, let image = try arriving.next() {
          waiting.append(image)
          bytes += image.byteCount
        }
        if waiting.isEmpty { break }
        let batch = Array(waiting.prefix(wanted))
        waiting.removeFirst(batch.count)
        try shard.append(batch)
        count += batch.count
        progress(PackProgress(images: build.images + count, total: nil))
      }
      if count == 0 { return build }
      try build.add(shard, as: name)
      number += 1
    }
  }

  private func publish(
    _ build: DatasetBuild,
    _ input: AnnotatorOutput,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> PackSummary {
    var index = build.index(named: options.name)
    guard !index.shards.isEmpty else {
      throw RelabelError(
        .invalidInput,
        "no image could be packed: \(index.leftOut.first?.reason ?? "")"
      )
    }
    var copies = input.copies
    if case .arriving(let stream) = input.images { copies = stream.copies }
    if !copies.isEmpty { index.options["equal_copies"] = .integer(Int64(copies.count)) }
    let bytes = try index.encoded()
    try folder.check(index.shards)
    try PublishedFile.write(bytes, to: folder.path(of: DatasetIndex.fileName))
    var (inputBytes, ignored, unmatched) = (
      input.inputBytes, input.ignored, input.unmatchedListLines
    )
    if case .arriving(let stream) = input.images {
      (inputBytes, ignored, unmatched) = (
        stream.bytesRead, stream.ignored, stream.unmatchedListLines
      )
    }
    return PackSummary(
      index: index,
      keptShards: build.keptShards,
      remadeShards: build.remadeShards,
      outputBytes: index.shards.reduce(Int64(bytes.count)) { $0 + $1.bytes },
      inputBytes: inputBytes,
      effect: build.effect,
      cut: build.sight.cut.images == 0 ? nil : build.sight.cut,
      agreement: build.sight.agreement,
      assumptions: build.plan.assumptions,
      doubts: build.doubts,
      ignored: ignored,
      copies: copies,
      unmatchedListLines: unmatched
    )
  }
}
