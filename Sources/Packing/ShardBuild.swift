import AnnotatorOutputs
import Relabel
import Verification

/// One shard on its way from pending images to a published file.
struct ShardBuild: ~Copyable {
  private var writer: ShardWriter
  private let codec: MapCodec
  private let jobs: Int
  private let skipsBadInput: Bool
  private let inputs: [String]
  private let keyBytes: Int
  private let path: String
  private let metadata: MetadataDocument
  private(set) var leftOut: [DatasetIndex.LeftOut] = []
  private(set) var rows = 0

  init(_ path: String, _ header: ShardHeader, _ options: PackOptions) throws(RelabelError) {
    writer = try ShardWriter(path, header: header)
    codec = MapCodec(header)
    keyBytes = header.keyBytes
    jobs = options.jobs
    skipsBadInput = options.skipsBadInput
    inputs = options.inputs
    self.path = path
    metadata = header.metadata
  }

  /// Loads, encodes and appends images in order; bad ones are refused or left out by name.
  mutating func append(_ images: [PendingImage]) throws(RelabelError) {
    let (codec, keyBytes) = (codec, keyBytes)
    let results = Parallel.map(images.count, jobs: jobs) { place in
      Self.encoded(images[place], codec, keyBytes: keyBytes)
    }
    var sound: [EncodedImage] = []
    for (image, result) in zip(images, results) {
      switch result {
      case .success(let encoded): sound.append(encoded)
      case .failure(let error):
        guard skipsBadInput, error.isBadInput else { throw error }
        leftOut.append(DatasetIndex.LeftOut(image, because: error, inputs: inputs))
      }
    }
    rows += sound.count
    try writer.append(sound, jobs: jobs)
  }

  /// One image in its stored form, or why it can't be.
  static func encoded(
    _ image: PendingImage,
    _ codec: MapCodec,
    keyBytes: Int
  ) -> Result<EncodedImage, RelabelError> {
    do throws(RelabelError) {
      guard image.key.utf8.count <= keyBytes else {
        throw RelabelError(
          .invalidInput,
          "the key has more than the \(keyBytes) bytes of this dataset; unpack the archive",
          at: Location(key: image.key)
        )
      }
      let map = try image.load()
      let labelled = LabelledImage(key: image.key, imageIndex: image.imageIndex, map: map)
      return .success(try codec.encode(labelled))
    } catch {
      return .failure(error.located(Location(file: image.source, key: image.key)))
    }
  }

  /// Closes, verifies and publishes the shard; its entry for the index.
  consuming func publish(as name: String) throws(RelabelError) -> DatasetIndex.Shard {
    let (jobs, path, metadata) = (jobs, path, metadata)
    let summary = try writer.finish(jobs: jobs) { temporary throws(RelabelError) in
      let report = Verifier(jobs: jobs).verify([temporary])
      if let failure = report.failures.first { throw failure }
      if let finding = report.findings.first(where: { $0.severity == .error }) {
        throw RelabelError(
          .internalFault,
          "the finished shard breaks rule \(finding.rule.id): \(finding.message)",
          at: Location(file: temporary)
        )
      }
    }
    return try DatasetIndex.Shard(
      file: path,
      name: name,
      metadataSHA256: metadata.sha256,
      rows: summary.rows,
      scoreRange: summary.scoreRange,
      largestError: summary.largestError
    )
  }
}

extension DatasetIndex.Shard {
  /// The entry of a published shard.
  init(
    file: String,
    name: String,
    metadataSHA256: String,
    rows: Int,
    scoreRange: ClosedRange<Float>?,
    largestError: Double?
  ) throws(RelabelError) {
    let file = try Digest.of(file: file)
    self.init(
      path: name,
      bytes: file.bytes,
      sha256: file.hex,
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
