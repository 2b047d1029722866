import AnnotatorOutputs
import Relabel
import RelabelVerification

/// A shard that an earlier run has published, compared with what the input holds now.
///
/// Names and sizes of inputs say nothing of their contents: an annotator that ran again wrote other
/// scores into files of the same size. So every image is loaded and encoded again; only compressing,
/// verifying and writing are saved.
struct FinishedShard {
  let path: String
  let name: String
  let plan: BuildPlan
  let sample: EffectSample?
  let options: PackOptions

  /// - Parameters:
  ///   - path: where it lies.
  ///   - name: what the index calls it.
  ///   - build: the dataset that it may be a part of.
  ///   - options: what the user said.
  init(_ path: String, _ name: String, _ build: DatasetBuild, _ options: PackOptions) {
    (self.path, self.name, self.options) = (path, name, options)
    (plan, sample) = (build.plan, build.sample)
  }

  /// Images that are compared together.
  private static let window = 256

  /// The shard's part of the dataset, or nil when it has to be made again.
  ///
  /// - Throws: the fault of the first bad input that may not be left out, `.io`.
  func kept(_ images: [PendingImage]) throws(RelabelError) -> DatasetBuild.KeptShard? {
    let check = try Verifier(jobs: options.jobs).check(shard: path)
    guard let check, let largestError = check.largestError else { return nil }
    let reader = try ShardReader(path)
    var leftOut: [DatasetIndex.LeftOut] = []
    var sight = ImageSight()
    guard let file = try ShardFile.open(path, report: { _ in }) else { return nil }
    var stored = StoredFacts(file, plan.facts.columns)
    let codec = MapCodec(plan.header)
    var row = 0
    for first in stride(from: 0, to: images.count, by: Self.window) {
      let window = images[first..<min(first + Self.window, images.count)]
      leftOut += window.compactMap(options.exclusion)
      let images = window.filter { options.exclusion($0) == nil }
      let firstRow = row
      var maps: [LabelMap] = []
      for (pending, encoded) in zip(images, encoded(images)) {
        let isThere = row < check.rows && check.imageIndexes[row] == pending.imageIndex
        switch encoded {
        case .success(let (image, seen)):
          // The earlier run left this image out; it is sound by now.
          guard isThere else { return nil }
          guard try stored.row(row) == image.optional else { return nil }
          row += 1
          let extent = try plan.facts.extent(of: image.key, else: plan.header.mapExtent)
          maps.append(codec.map(of: image, extent: extent))
          sight.add(seen)
        case .failure(let error):
          guard options.skipsBadInput, error.isBadInput else { throw error }
          // It was sound when the earlier run packed it.
          if isThere { return nil }
          leftOut.append(DatasetIndex.LeftOut(pending, because: error, inputs: options.inputs))
        }
      }
      var read = try reader.maps(at: Array(firstRow..<row))
      // What factors say of classes was compared with the optional rows.
      for place in read.indices { read[place].factors = nil }
      guard read == maps else { return nil }
    }
    guard row == check.rows else { return nil }
    // What the shard states is what is measured now, or bytes would tell this run from an undisturbed one.
    if plan.factors != nil, reader.targetError != sight.targetError { return nil }
    return DatasetBuild.KeptShard(
      shard: try entry(check, largestError),
      leftOut: leftOut,
      sight: sight,
      views: check.views
    )
  }

  /// The shard's part of a dataset whose earlier images nobody has any more: verified, and taken as it is.
  ///
  /// - Throws: `.corrupt` for a shard that is damaged or says too little; `.io`.
  func keptAsItIs() throws(RelabelError) -> DatasetBuild.KeptShard {
    let check = try Verifier(jobs: options.jobs).check(shard: path)
    guard let check, let largestError = check.largestError else {
      throw RelabelError(
        .corrupt,
        "the finished shard breaks rules ('relabel-verify' names them); remove it and the shards after it to go on",
        at: Location(file: path)
      )
    }
    return DatasetBuild.KeptShard(
      shard: try entry(check, largestError),
      leftOut: [],
      sight: ImageSight(measured: try ShardReader(path).targetError),
      views: check.views
    )
  }

  /// What the index says of the shard.
  private func entry(
    _ check: ShardFacts,
    _ largestError: Double
  ) throws(RelabelError) -> DatasetIndex.Shard {
    DatasetIndex.Shard(
      name: name,
      digest: try Digest.of(file: path),
      metadataSHA256: check.metadataSHA256,
      rows: check.rows,
      scoreRange: check.scoreRange,
      largestError: largestError
    )
  }

  /// What tells the rows of a shard from others, the shape of their maps, and the quality of their factors.
  ///
  /// - Throws: as `ShardReader`.
  static func rows(
    _ path: String,
    _ name: String
  ) throws(RelabelError) -> (rows: PackedRows, shape: MapShape, quality: Double?) {
    let reader = try ShardReader(path)
    let (keys, indexes) = (try reader.keys(), try reader.imageIndexes())
    let views = try reader.viewNumbers()
    let rows = keys.indices.map { row in
      PackedRows.Row(
        key: keys[row],
        imageIndex: indexes[row],
        view: views.isEmpty ? nil : views[row]
      )
    }
    let header = reader.header
    return (PackedRows(shard: name, rows: rows), header.shape, header.factorQuality)
  }

  private func encoded(
    _ images: [PendingImage]
  ) -> [Result<(EncodedImage, ImageSight), RelabelError>] {
    let encoder = ImageEncoder(plan, sample)
    return Parallel.map(images.count, jobs: options.jobs) { encoder.encoded(images[$0]) }
  }
}

/// The optional datasets of a shard, row by row.
private struct StoredFacts {
  private var cursors: [RowCursor]

  init(_ file: ShardFile, _ columns: [Layout.Column]) {
    let stored = Dictionary(uniqueKeysWithValues: file.optional)
    cursors = columns.compactMap { stored[$0.name].map(RowCursor.init) }
  }

  mutating func row(_ row: Int) throws(RelabelError) -> [[UInt8]] {
    var values: [[UInt8]] = []
    for place in cursors.indices {
      guard case .success(let bytes) = cursors[place].row(row) else { return [] }
      values.append(Array(bytes))
    }
    return values
  }
}
