import Relabel

// What a writer of label maps needs: the functions of relabel.h, which documents them.

/// See relabel.h.
@c(relabel_top_k)
public func relabelTopK(
  _ scores: UnsafeRawPointer?,
  _ scoreType: UnsafePointer<CChar>?,
  _ count: Int64,
  _ numClasses: Int64,
  _ height: Int64,
  _ width: Int64,
  _ topK: Int64,
  _ threads: Int32,
  _ classIndex: UnsafeMutablePointer<UInt32>?,
  _ score: UnsafeMutablePointer<Float>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let (images, shape) = try size(count, numClasses, height, width, topK)
    guard let type: DenseScores = try word(scoreType, "score_type") else {
      throw missing("score_type")
    }
    if images == 0 { return }
    guard let scores else { throw missing("scores") }
    guard let classIndex else { throw missing("class_index") }
    guard let score else { throw missing("score") }
    let mapBytes = Int(numClasses) * shape.cells * type.size
    // The caller lends its memory for as long as the call takes, and each map has its own part of it.
    nonisolated(unsafe) let memory = (scores, classIndex, score)
    let failures = Parallel.map(images, jobs: Int(max(threads, 1))) { place -> RelabelError? in
      let dense = UnsafeRawBufferPointer(start: memory.0 + place * mapBytes, count: mapBytes)
      let map: LabelMap
      switch type.topK(dense, classes: Int(numClasses), shape) {
      case .failure(let error): return error
      case .success(let found): map = found
      }
      (memory.1 + place * shape.entries).update(from: map.classIndex, count: shape.entries)
      (memory.2 + place * shape.entries).update(from: map.score, count: shape.entries)
      return nil
    }
    try throwFirst(failures)
  }
}

/// See relabel.h.
@c(relabel_check_maps)
public func relabelCheckMaps(
  _ classIndex: UnsafePointer<UInt32>?,
  _ score: UnsafePointer<Float>?,
  _ count: Int64,
  _ numClasses: Int64,
  _ scoreKind: UnsafePointer<CChar>?,
  _ classesAre: UnsafePointer<CChar>?,
  _ height: Int64,
  _ width: Int64,
  _ topK: Int64
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let (images, shape) = try size(count, numClasses, height, width, topK)
    let relation: ClassRelation = try word(classesAre, "classes_are") ?? .exclusive
    guard let kind: ScoreKind = try word(scoreKind, "score_kind") else {
      throw missing("score_kind")
    }
    if images == 0 { return }
    guard let classIndex else { throw missing("class_index") }
    guard let score else { throw missing("score") }
    // Made where a map does not pass at first sight.
    var made: MapCodec?
    let sound = SoundMap(MapForm(inMemory: shape, numClasses: Int(numClasses)))
    for place in 0..<images {
      let first = place * shape.entries
      // All but a few maps pass here, without a copy.
      let isSound = sound.contains(classIndex + first, score + first, entries: shape.entries)
      if isSound, kind == .logit { continue }
      let map = LabelMap(
        shape: shape,
        classIndex: Array(
          UnsafeBufferPointer(start: classIndex + first, count: shape.entries)
        ),
        score: Array(UnsafeBufferPointer(start: score + first, count: shape.entries))
      )
      if made == nil { made = try checkingCodec(Int(numClasses), kind, relation, shape) }
      if let refusal = made?.refusal(of: map) { throw placed(refusal, place) }
    }
  }
}

/// A codec that leaves scores as they are, for its checks.
private func checkingCodec(
  _ numClasses: Int,
  _ kind: ScoreKind,
  _ relation: ClassRelation,
  _ shape: MapShape
) throws(RelabelError) -> MapCodec {
  var header = ShardHeader(
    numClasses: numClasses,
    scoreKind: kind,
    shape: shape,
    encoding: try ScoreEncoding(.float32, for: kind),
    keyBytes: 1,
    buildID: "",
    metadata: try MetadataDocument(annotator: nil, classes: nil)
  )
  if relation == .independent { header.declareIndependent() }
  return MapCodec(header)
}

/// The types of dense scores.
private enum DenseScores: String, CaseIterable {
  case float16, bfloat16, float32

  var size: Int { self == .float32 ? 4 : 2 }

  func topK(
    _ dense: UnsafeRawBufferPointer,
    classes: Int,
    _ shape: MapShape
  ) -> Result<LabelMap, RelabelError> {
    if self == .float32, let map = TopK.reduce(dense, classes: classes, shape: shape) {
      return .success(map)
    }
    let count = classes * shape.cells
    let scores = [Float](unsafeUninitializedCapacity: count) { scores, filled in
      for place in 0..<count { scores[place] = score(dense, place) }
      filled = count
    }
    if let map = TopK.reduce(scores.span, classes: classes, shape: shape) { return .success(map) }
    return .failure(TopK.refusal(of: scores.span, shape: shape))
  }

  private func score(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Float {
    if self == .float32 {
      return bytes.loadUnaligned(fromByteOffset: 4 * place, as: Float.self)
    }
    let bits = bytes.loadUnaligned(fromByteOffset: 2 * place, as: UInt16.self)
    return self == .float16 ? Float16Bits.widen(bits) : Float(bitPattern: UInt32(bits) << 16)
  }
}

/// How many maps there are, and their shape.
private func size(
  _ count: Int64,
  _ numClasses: Int64,
  _ height: Int64,
  _ width: Int64,
  _ topK: Int64
) throws(RelabelError) -> (images: Int, shape: MapShape) {
  let (side, entries) = (1...Int64(Layout.maximumGridSide), 1...Int64(Layout.maximumTopK))
  guard side.contains(height), side.contains(width), entries.contains(topK), numClasses >= topK,
    numClasses <= Int64(UInt32.max), (0...Int64(Int32.max)).contains(count)
  else {
    throw RelabelError(
      .usage,
      "\(count) maps of \(height)×\(width) cells with \(topK) of \(numClasses) classes are none"
    )
  }
  return (Int(count), MapShape(height: Int(height), width: Int(width), topK: Int(topK)))
}

private func throwFirst(_ failures: [RelabelError?]) throws(RelabelError) {
  for (place, failure) in failures.enumerated() {
    if let failure { throw placed(failure, place) }
  }
}

/// An error that names the place in the batch of the call.
func placed(_ error: RelabelError, _ place: Int) -> RelabelError {
  var error = error
  error.place = place
  return error
}
