import AnnotatorOutputs
import Relabel
import RelabelWriting
import RelabelVerification

/// One shard on its way from pending images to a published file.
struct ShardBuild: ~Copyable {
  private var writer: ShardWriter
  private let encoder: ImageEncoder
  private let options: PackOptions
  private let metadata: MetadataDocument
  /// What was seen of the images while they were encoded.
  private(set) var sight = ImageSight()
  private(set) var leftOut: [DatasetIndex.LeftOut] = []
  private(set) var rows = 0
  /// Images that are encoded and not written yet: the threads that encode those behind them compress them.
  private var encoded: [EncodedImage] = []

  init(
    _ path: String,
    _ plan: BuildPlan,
    _ options: PackOptions,
    _ sample: EffectSample?
  ) throws(RelabelError) {
    let header = plan.header
    writer = try ShardWriter(path, header: header, copying: nil, optional: plan.facts.columns)
    encoder = ImageEncoder(plan, sample)
    self.options = options
    metadata = header.metadata
  }

  /// Loads and encodes images in order while those before them are compressed; bad ones are refused or left out
  /// by name, and excluded ones left out unread.
  ///
  /// - Throws: the fault of the first bad one, `.io`.
  mutating func append(_ images: [PendingImage]) throws(RelabelError) {
    let encoder = encoder
    leftOut += images.compactMap(options.exclusion)
    let images = images.filter { options.exclusion($0) == nil }
    let results = try writer.append(encoded, jobs: options.jobs, besides: images.count) {
      encoder.encoded(images[$0])
    }
    var sound: [EncodedImage] = []
    for (image, result) in zip(images, results) {
      switch result {
      case .success(let (encoded, sight)):
        sound.append(encoded)
        self.sight.add(sight)
      case .failure(let error):
        guard options.skipsBadInput, error.isBadInput else { throw error }
        leftOut.append(DatasetIndex.LeftOut(image, because: error, inputs: options.inputs))
      }
    }
    rows += sound.count
    encoded = sound
  }

  /// Closes, verifies and publishes the shard; its entry for the index.
  consuming func publish(as name: String) throws(RelabelError) -> DatasetIndex.Shard {
    let (jobs, metadata, encoded) = (options.jobs, metadata, encoded)
    let measured = encoder.hasFactors ? sight.targetError : nil
    var digest = (hex: "", bytes: Int64(0))
    let summary = try writer.finish(appending: encoded, jobs: jobs, measured: measured) {
      temporary throws(RelabelError) in
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
    // A thread that waits for the disk keeps no processor from the others.
    let threads = jobs == 1 ? 1 : 3
    let digests = Parallel.map(3, jobs: threads) { part -> Result<(String, Int64)?, RelabelError> in
      Result { () throws(RelabelError) in
        switch part {
        // `publish` has to wait for the disk, too, and then finds nothing left to do.
        case 0: try PublishedFile.sync(path)
        case 1: return try Digest.of(file: path)
        default: try verify(path, jobs: jobs)
        }
        return nil
      }
    }
    for case let digest? in try digests.map({ digest throws(RelabelError) in try digest.get() }) {
      return digest
    }
    throw RelabelError(.internalFault, "the shard has no digest", at: Location(file: path))
  }

  /// Rules that no view can break alone, so that only the whole shard shows what is wrong with the input.
  private static let rulesBetweenViews: Set<Rule> = [.v009, .v010, .v024, .v028, .v029, .v031]

  /// Refuses a shard that breaks a rule.
  private static func verify(_ path: String, jobs: Int) throws(RelabelError) {
    let report = Verifier(jobs: jobs).verify([path])
    if let failure = report.failures.first { throw failure }
    if let finding = report.findings.first(where: { $0.severity == .error }) {
      if Self.rulesBetweenViews.contains(finding.rule) {
        throw RelabelError(
          .invalidInput,
          "its views break rule \(finding.rule.id) together: \(finding.message)",
          at: Location(key: finding.location.key)
        )
      }
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
