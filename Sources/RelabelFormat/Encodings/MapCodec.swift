/// One image in its stored form, before chunks are made of it.
public struct EncodedImage: Sendable {
  /// The join key.
  public let key: String
  /// The position in the source listing.
  public let imageIndex: Int64
  /// Little-endian class ids in stored order.
  package let classIndex: [UInt8]
  /// Little-endian stored scores in the same order.
  package let score: [UInt8]
  /// The largest |decoded − given| of its scores.
  public let largestError: Double
  /// Lowest and highest decoded score.
  public let scoreRange: ClosedRange<Float>
  /// Its values of the shard's optional datasets, in their order.
  package var optional: [[UInt8]] = []
}

/// Turns label maps into stored bytes and back (spec, "Score encodings" and "Cell order").
public struct MapCodec: Sendable {
  package let shape: MapShape
  package let encoding: ScoreEncoding
  let cellOrder: CellOrder
  let rules: CellRules
  let hasWideIDs: Bool
  let numClasses: Int
  let kind: ScoreKind
  let sound: SoundMap

  /// Makes the codec of a shard.
  public init(_ header: ShardHeader) {
    shape = header.shape
    encoding = header.encoding
    cellOrder = header.cellOrder
    kind = header.scoreKind
    rules = header.cellRules(order: nil)
    sound = SoundMap(MapForm(inMemory: header.shape, numClasses: header.numClasses))
    hasWideIDs = header.classIndexType == .uint32
    numClasses = header.numClasses
  }

  /// Orders, quantises and checks the entries of one image.
  ///
  /// Callable from any thread.
  /// - Throws: `.invalidInput` naming the cell and the value that break a rule or don't fit the
  ///   encoding; nothing is clipped.
  /// - Complexity: O(cells · k²).
  public func encode(_ image: LabelledImage) throws(RelabelError) -> EncodedImage {
    do {
      return try encode(image.map, key: image.key, imageIndex: image.imageIndex)
    } catch {
      throw error.located(Location(key: image.key))
    }
  }

  private func encode(
    _ map: LabelMap,
    key: String,
    imageIndex: Int64
  ) throws(RelabelError) -> EncodedImage {
    guard map.shape == shape else {
      throw RelabelError(.invalidInput, "the map is \(map.shape), this dataset's are \(shape)")
    }
    // Quick looks at everything; only a map with a fault is gone through cell by cell.
    guard let scores = StoredScores(map.score, encoding), sound.holdsIDs(of: map),
      kind == .logit || areProbable(map, scores.stored.map(encoding.decoded))
    else { throw fault(of: map) }
    let cells = CellEntries(map.classIndex, scores, encoding, topK: shape.topK, cellOrder)
    return EncodedImage(
      key: key,
      imageIndex: imageIndex,
      classIndex: cells.classIndex(size: hasWideIDs ? 4 : 2),
      score: cells.score(size: encoding.elementType.size),
      largestError: scores.largestError,
      scoreRange: scores.range
    )
  }

  /// True when the scores of every cell are probabilities (spec, section 6.7).
  func areProbable(_ map: LabelMap, _ decoded: [Float]) -> Bool {
    stride(from: 0, to: shape.entries, by: shape.topK).allSatisfy { start in
      let cell = start..<start + shape.topK
      return rules.faults(map.classIndex[cell].span, decoded[cell].span).isEmpty
    }
  }
}
