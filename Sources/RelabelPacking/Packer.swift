import AnnotatorOutputs
public import Relabel
import RelabelVerification

/// Turns raw annotator outputs into a dataset of verified shards.
///
/// ```swift
/// var options = PackOptions(inputs: [outputs], output: folder)
/// options.orientation = .yx  // the rows of the maps run down the picture
/// options.numClasses = 1000
/// let summary = try Packer(options).run()
/// print(summary.index.count, "images,", summary.bytesPerImage, "bytes each")
/// ```
public struct Packer: Sendable {
  let options: PackOptions
  private let progress: @Sendable (PackProgress) -> Void

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
    guard !options.inputs.isEmpty else {
      throw RelabelError(.usage, "please give at least one input")
    }
    let folder = try OutputFolder.claim(options.output, name: options.name)
    // Before the inputs are listed, which may take a while.
    if !options.overwrites { try folder.refuseFinishedDataset() }
    let input = try AnnotatorOutput.open(
      options.inputs,
      options: options.inputOptions(spool: options.output)
    )
    let build: DatasetBuild
    switch input.images {
    case .listed(let images):
      try options.exclusions?.check(images)
      let sample = try ShapeSample(images.count, options) { place throws(RelabelError) in
        try images[place]
      }
      let plan = try plan(input.traits, sample, images)
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

  /// Everything that is settled before the first row of listed images is written.
  private func plan(
    _ traits: SourceTraits,
    _ sample: ShapeSample,
    _ images: PendingImages
  ) throws(RelabelError) -> BuildPlan {
    var plan = try BuildPlan(
      options,
      traits: traits,
      shape: sample.shape,
      keys: sample.keys,
      listing: images
    )
    if options.factors?.budget != nil {
      let spread = try BuildPlan.budgetSample(images, sample.shape, plan.header.numClasses)
      try plan.settleBudget(options, spread, listing: images)
    }
    return plan
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
    let finished = FinishedShard(path, name, build, options)
    if isFinished, let kept = try finished.kept(images) {
      build.keep(kept)
    } else {
      if isFinished { build.remake() }
      var shard = try ShardBuild(path, build.plan, options, build.sample)
      let window = build.plan.window
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
    var build = ArrivalBuild(options, traits)
    if options.resumes {
      if stream.sendsOnlyNew {
        try options.checkResuming()
        try options.checkExcludingAgain()
      }
      if traits.views != nil { try options.checkExcludingAgain() }
      if options.skipsBadInput, traits.views != nil, !stream.isPipe {
        throw RelabelError(
          .usage,
          "--resume counts the views of the earlier run, and does not know which were left out: use --on-bad-input fail"
        )
      }
      try build.keepShards(folder) { rows throws(RelabelError) in try stream.note(rows) }
    }
    let arriving = ReadAhead(stream, jobs: options.jobs)
    while let image = try arriving.next() {
      if try build.add(image, folder) {
        progress(PackProgress(images: build.images, total: nil))
      }
    }
    return try build.finish(folder)
  }

  private func publish(
    _ build: DatasetBuild,
    _ input: AnnotatorOutput,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> PackSummary {
    guard case .arriving(let stream) = input.images else {
      return try build.publish(
        InputTally(
          bytes: input.inputBytes,
          ignored: input.ignored,
          copies: input.copies,
          unmatchedListLines: input.unmatchedListLines,
          exclusions: options.exclusions
        ),
        named: options.name,
        folder
      )
    }
    return try build.publish(
      InputTally(
        bytes: stream.bytesRead,
        ignored: stream.ignored,
        copies: stream.copies,
        unmatchedListLines: stream.unmatchedListLines,
        exclusions: options.exclusions
      ),
      named: options.name,
      folder
    )
  }
}
