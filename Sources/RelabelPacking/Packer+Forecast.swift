import AnnotatorOutputs
import Relabel
import RelabelWriting

extension Packer {
  /// Images that are packed in memory at most.
  private static let sampleImages = 256

  /// Finds out what `run` would do: opens the inputs and packs a sample in memory.
  ///
  /// Of a pipe, the first images are taken.
  public func forecast() -> PackForecast {
    var forecast = PackForecast()
    do throws(RelabelError) {
      try fill(&forecast)
    } catch {
      forecast.failure = error
    }
    return forecast
  }

  private func fill(_ forecast: inout PackForecast) throws(RelabelError) {
    try options.validate()
    guard !options.inputs.isEmpty else {
      throw RelabelError(.usage, "please give at least one input")
    }
    // The input is looked at all the same: it's the folder that has to be another.
    let refusal = OutputFolder.refusal(options.output, overwrites: options.overwrites)
    let spool = try ScratchFolder()
    let input = try AnnotatorOutput.open(
      options.inputs,
      options: options.inputOptions(spool: spool.path)
    )
    forecast.note(input)
    let sample = try sample(of: input.images, &forecast)
    forecast.keys = sample.prefix(3).map(\.key)
    forecast.settle(options, input.traits)
    let shape = try ShapeSample(sample.count, options) { sample[$0] }
    forecast.shape = shape.shape
    if forecast.evidence.isEmpty {
      forecast.evidence = [
        "the names of the files, and \(shape.keys.count) of them were read as such"
      ]
    }
    if let question = forecast.questions.first {
      throw RelabelError(.usage, "please give \(question.option): \(question.reason)")
    }
    var listing: PendingImages?
    if case .listed(let images) = input.images { listing = images }
    var plan = try BuildPlan(
      options,
      traits: input.traits,
      shape: shape.shape,
      keys: shape.keys,
      listing: listing
    )
    if options.factors?.budget != nil {
      let spread =
        try listing.map { images throws(RelabelError) in
          try BuildPlan.budgetSample(images, shape.shape, plan.header.numClasses)
        } ?? sample
      try plan.settleBudget(options, spread, listing: listing)
    }
    forecast.orientation = plan.header.orientation
    forecast.columns = plan.facts.columns.map(\.name)
    forecast.assumptions = plan.assumptions
    try forecast.measure(sample, plan, options)
    if let refusal { throw refusal }
  }

  /// Images from all over the listing, or the first that arrive.
  private func sample(
    of images: AnnotatorOutput.Images,
    _ forecast: inout PackForecast
  ) throws(RelabelError) -> [PendingImage] {
    switch images {
    case .listed(let images):
      forecast.images = images.count
      let count = min(images.count, Self.sampleImages)
      // Rounded down, so that the first image is one of them.
      return try images.images(at: (0..<count).map { $0 * images.count / count })
    case .arriving(let stream):
      var first: [PendingImage] = []
      var bytes = 0
      while first.count < Self.sampleImages, bytes < 16 << 20, let image = try stream.next() {
        first.append(image)
        bytes += image.byteCount
      }
      return first
    }
  }
}

extension PackForecast {
  fileprivate mutating func note(_ input: AnnotatorOutput) {
    dialects = input.traits.dialects
    evidence = input.traits.evidence
    inputBytes = input.inputBytes
    (ignored, copies) = (input.ignored, input.copies)
    unmatchedListLines = input.unmatchedListLines
  }

  /// What the options and the input settle together, and what they leave open.
  fileprivate mutating func settle(_ options: PackOptions, _ traits: SourceTraits) {
    scoreKind = options.scoreKind ?? traits.scoreKind
    numClasses = options.numClasses ?? options.classes?.entries.count ?? traits.numClasses
    if scoreKind == nil {
      questions.append(
        Question(
          option: "--score-kind logit, probability or log-probability",
          reason: "the input does not say what its scores are"
        )
      )
    }
    if numClasses == nil {
      questions.append(
        Question(
          option: "--num-classes or --classes",
          reason: "the input does not say how many classes there are"
        )
      )
    }
  }

  /// Packs images in memory and extrapolates.
  fileprivate mutating func measure(
    _ images: [PendingImage],
    _ plan: BuildPlan,
    _ options: PackOptions
  ) throws(RelabelError) {
    let clock = ContinuousClock()
    let start = clock.now
    let encoder = ImageEncoder(plan, nil)
    var encoded: [EncodedImage] = []
    let kept = images.filter { options.exclusion($0) == nil }
    for result in Parallel.map(kept.count, jobs: options.jobs, { encoder.encoded(kept[$0]) }) {
      do throws(RelabelError) {
        encoded.append(try result.get().0)
      } catch {
        guard options.skipsBadInput, error.isBadInput else { throw error }
        leftOut.append("\(error)")
      }
    }
    guard !encoded.isEmpty else {
      let reason = leftOut.first ?? "all of them are excluded"
      throw RelabelError(.invalidInput, "no image of the sample could be packed: \(reason)")
    }
    let size = SampleSize(encoded, plan, jobs: options.jobs)
    sampled = encoded.count
    // Writing and verifying take about as long again as compressing.
    let elapsed = (clock.now - start) / Duration.seconds(1) * 2 / Double(images.count)
    guard let count = self.images else {
      bytesPerImage = size.bytesPerImage
      return
    }
    let packed = Double(count) * Double(encoded.count) / Double(images.count)
    let each = size.bytes(inDatasetOf: Int(packed.rounded(.up)))
    outputBytes = Int64(packed * each)
    bytesPerImage = each
    seconds = elapsed * Double(count)
  }
}

/// What images take in a shard, found by compressing their chunks in memory.
struct SampleSize {
  /// Bytes of an image's parts of all chunks, and of the indexes of those.
  let bytesPerImage: Double
  private let imagesPerShard: Int
  private let metadataBytes: Int

  /// What a shard takes beside its chunks and metadata document, and its line of the index: headers and attributes.
  private static let bytesPerShard = 9_000.0
  /// What a chunk takes in the index of chunks.
  private static let bytesPerChunk = 14.0

  /// Bytes of a dataset for each image, everything included; of a very large one where its images are not known.
  func bytes(inDatasetOf images: Int?) -> Double {
    guard let images, images > 0 else { return bytesPerImage }
    let shards = max(1, (Double(images) / Double(imagesPerShard)).rounded(.up))
    return bytesPerImage + shards * (Self.bytesPerShard + Double(metadataBytes)) / Double(images)
  }

  init(_ images: [EncodedImage], _ plan: BuildPlan, jobs: Int) {
    let header = plan.header
    (imagesPerShard, metadataBytes) = (plan.imagesPerShard, header.metadata.text.count)
    var pieces: [(Layout.Column, [[UInt8]])] = [
      (Layout.required[0], images.map(\.classIndex)), (Layout.required[1], images.map(\.score)),
      (
        Layout.required[2],
        images.map { withUnsafeBytes(of: $0.imageIndex.littleEndian, Array.init) }
      ),
    ]
    let keyBytes = header.keyBytes
    pieces.append(
      (
        Layout.required[3],
        images.map {
          let key = Array($0.key.utf8)
          return key + [UInt8](repeating: 0, count: max(0, keyBytes - key.count))
        }
      )
    )
    for (place, column) in plan.facts.columns.enumerated() {
      pieces.append((column, images.map { $0.optional[place] }))
    }
    bytesPerImage = pieces.reduce(0) { sum, piece in
      let description = header.description(of: piece.0)
      return sum + Self.bytes(of: piece.1, description, jobs) / Double(images.count)
        + Self.bytesPerChunk / Double(description.chunk[0])
    }
  }

  private static func bytes(
    of rows: [[UInt8]],
    _ description: DatasetDescription,
    _ jobs: Int
  ) -> Double {
    let codec = ChunkCodec(description)
    let fill = Layout.fillValue(description.type)
    let perChunk = description.chunk[0]
    // Only the last chunk is not full, and a sample's last one says nothing of it.
    let whole = rows.count / perChunk * perChunk
    let used = whole == 0 ? rows.count : whole
    let starts = Array(stride(from: 0, to: used, by: perChunk))
    let sizes = Parallel.map(starts.count, jobs: jobs) { place in
      let chunk = rows[starts[place]..<min(starts[place] + perChunk, used)]
      return codec.encode(codec.padded(Array(chunk), fill)).count
    }
    return Double(sizes.reduce(0, +)) * Double(rows.count) / Double(used)
  }
}
