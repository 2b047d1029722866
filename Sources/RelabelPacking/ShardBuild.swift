import AnnotatorOutputs
import Relabel
import RelabelWriting
import RelabelVerification

/// One shard on its way from pending images to a published file.
struct ShardBuild: ~Copyable {
  private var writer: ShardWriter
  private let encoder: ImageEncoder
  private let jobs: Int
  private let skipsBadInput: Bool
  private let inputs: [String]
  private let metadata: MetadataDocument
  /// What was seen of the images while they were encoded.
  private(set) var sight = ImageSight()
  private(set) var leftOut: [DatasetIndex.LeftOut] = []
  private(set) var rows = 0

  init(
    _ path: String,
    _ plan: BuildPlan,
    _ options: PackOptions,
    _ sample: EffectSample?
  ) throws(RelabelError) {
    let header = plan.header
    writer = try ShardWriter(path, header: header, copying: nil, optional: plan.facts.columns)
    encoder = ImageEncoder(plan, sample)
    jobs = options.jobs
    skipsBadInput = options.skipsBadInput
    inputs = options.inputs
    metadata = header.metadata
  }

  /// Loads, encodes and appends images in order; bad ones are refused or left out by name.
  ///
  /// - Throws: the fault of the first bad one, `.io`.
  mutating func append(_ images: [PendingImage]) throws(RelabelError) {
    let encoder = encoder
    let results = Parallel.map(images.count, jobs: jobs) { encoder.encoded(images[$0]) }
    var sound: [EncodedImage] = []
    for (image, result) in zip(images, results) {
      switch result {
      case .success(let (encoded, sight)):
        sound.append(encoded)
        self.sight.add(sight)
      case .failure(let error):
        guard skipsBadInput, error.isBadInput else { throw error }
        leftOut.append(DatasetIndex.LeftOut(image, because: error, inputs: inputs))
      }
    }
    rows += sound.count
    try writer.append(sound, jobs: jobs)
  }

  /// Closes, verifies and publishes the shard; its entry for the index.
  consuming func publish(as name: String) throws(RelabelError) -> DatasetIndex.Shard {
    let (jobs, metadata) = (jobs, metadata)
    var digest = (hex: "", bytes: Int64(0))
    let summary = try writer.finish(jobs: jobs) { temporary throws(RelabelError) in
      digest = try Self.checked(temporary, jobs: jobs)
    }
    return DatasetIndex.Shard(
      name: name,
      digest: digest,
      metadataSHA256: metadata.sha256,
      rows: summary.rows,
      scoreRange: summary.scoreRange,
      largestError: summary.largestError
    )
  }

  /// The digest of a finished shard, which is verified and written to disk at the same time.
  private static func checked(
    _ path: String,
    jobs: Int
  ) throws(RelabelError) -> (hex: String, bytes: Int64) {
    let digests = Parallel.map(2, jobs: jobs) { part -> Result<(String, Int64)?, RelabelError> in
      Result { () throws(RelabelError) in
        if part == 0 {
          try verify(path, jobs: jobs)
          return nil
        }
        // `publish` has to wait for the disk, too, and then finds nothing left to do.
        try PublishedFile.sync(path)
        return try Digest.of(file: path)
      }
    }
    for case let digest? in try digests.map({ digest throws(RelabelError) in try digest.get() }) {
      return digest
    }
    throw RelabelError(.internalFault, "the shard has no digest", at: Location(file: path))
  }

  /// Refuses a shard that breaks a rule.
  private static func verify(_ path: String, jobs: Int) throws(RelabelError) {
    let report = Verifier(jobs: jobs).verify([path])
    if let failure = report.failures.first { throw failure }
    if let finding = report.findings.first(where: { $0.severity == .error }) {
      throw RelabelError(
        .internalFault,
        "the finished shard breaks rule \(finding.rule.id): \(finding.message)",
        at: Location(file: path)
      )
    }
  }
}

extension DatasetIndex.Shard {
  /// The entry of a published shard.
  init(
    name: String,
    digest: (hex: String, bytes: Int64),
    metadataSHA256: String,
    rows: Int,
    scoreRange: ClosedRange<Float>?,
    largestError: Double?
  ) {
    self.init(
      path: name,
      bytes: digest.bytes,
      sha256: digest.hex,
      metadataSHA256: metadataSHA256,
      rows: rows,
      scoreRange: scoreRange,
      largestError: largestError
    )
  }
}

extension DatasetIndex.LeftOut {
  /// The entry of an image that could not be packed.
  ///
  /// The reason names no file: where the input lay must not show in the dataset.
  init(_ image: PendingImage, because error: RelabelError, inputs: [String]) {
    var reason = error
    reason.location.file = nil
    reason.location.key = nil
    var text = "\(reason)"
    // Some reasons name two inputs.
    for input in inputs {
      for separator in ["/", ":"] where input.count > 1 {
        text.replace(input.hasSuffix("/") ? input : input + separator, with: "")
      }
    }
    self.init(
      key: image.key,
      imageIndex: image.imageIndex < 0 ? nil : image.imageIndex,
      reason: text
    )
  }
}

extension RelabelError {
  /// True for faults of one input, which a run may leave out; never for a full disk.
  var isBadInput: Bool { code == .invalidInput || code == .unsafeInput }
}
