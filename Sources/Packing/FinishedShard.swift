import AnnotatorOutputs
import Relabel
import Verification

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
    var effect = TargetEffect()
    var row = 0
    for first in stride(from: 0, to: images.count, by: Self.window) {
      let images = images[first..<min(first + Self.window, images.count)]
      let firstRow = row
      var maps: [LabelMap] = []
      for (image, encoded) in zip(images, encoded(Array(images))) {
        let isThere = row < check.rows && check.imageIndexes[row] == image.imageIndex
        switch encoded {
        case .success(let (map, measured)):
          // The earlier run left this image out; it is sound by now.
          guard isThere else { return nil }
          row += 1
          maps.append(map)
          if let measured { effect.add(measured) }
        case .failure(let error):
          guard options.skipsBadInput, error.isBadInput else { throw error }
          // It was sound when the earlier run packed it.
          if isThere { return nil }
          leftOut.append(DatasetIndex.LeftOut(image, because: error, inputs: options.inputs))
        }
      }
      guard try reader.maps(at: Array(firstRow..<row)) == maps else { return nil }
    }
    guard row == check.rows else { return nil }
    let shard = DatasetIndex.Shard(
      name: name,
      digest: try Digest.of(file: path),
      metadataSHA256: check.metadataSHA256,
      rows: check.rows,
      scoreRange: check.scoreRange,
      largestError: largestError
    )
    return DatasetBuild.KeptShard(shard: shard, leftOut: leftOut, effect: effect)
  }

  /// Each image as a reader would read it if it were stored now, and what that does to its targets.
  private func encoded(
    _ images: [PendingImage]
  ) -> [Result<(LabelMap, TargetEffect?), RelabelError>] {
    let (header, codec) = (plan.header, MapCodec(plan.header))
    return Parallel.map(images.count, jobs: options.jobs) { place in
      ShardBuild.encoded(images[place], codec, keyBytes: header.keyBytes) { given, encoded in
        sample?.effect(given, encoded)
      }.map { encoded, effect in
        let map = LabelMap(
          shape: header.shape,
          classIndex: codec.classIndex(encoded.classIndex[...]),
          score: codec.score(encoded.score[...]),
          extent: header.mapExtent
        )
        return (map, effect)
      }
    }
  }
}
