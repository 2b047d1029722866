import Relabel

/// Made-up labels and headers for tests.
enum Sample {
  static func header(
    _ name: ScoreEncoding.Name = .fixed16,
    shape: MapShape = MapShape(height: 3, width: 4, topK: 2),
    order: CellOrder = .score
  ) throws -> ShardHeader {
    var header = try header(ScoreEncoding(name, for: .logit), kind: .logit, shape: shape)
    header.cellOrder = order
    return header
  }

  static func header(
    _ encoding: ScoreEncoding,
    kind: ScoreKind,
    shape: MapShape
  ) throws -> ShardHeader {
    ShardHeader(
      numClasses: 10,
      scoreKind: kind,
      shape: shape,
      encoding: encoding,
      keyBytes: 12,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: nil)
    )
  }

  /// A map of distinct classes below 10 and logits between 0 and 32, some of them equal.
  static func map(_ shape: MapShape, seed: UInt64) -> LabelMap {
    var state = seed
    func random(_ below: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % below
    }
    var ids: [UInt32] = []
    var scores: [Float] = []
    for _ in 0..<shape.cells {
      var classes = Array(0..<10 as Range<UInt32>)
      for last in stride(from: 9, to: 0, by: -1) {
        classes.swapAt(last, Int(random(UInt64(last + 1))))
      }
      ids += classes.prefix(shape.topK)
      scores += (0..<shape.topK).map { _ in
        random(4) == 0 ? 8 : Float(random(1 << 20)) / Float(1 << 15)
      }
    }
    return LabelMap(shape: shape, classIndex: ids, score: scores)
  }

  static func images(_ count: Int, _ shape: MapShape) -> [LabelledImage] {
    (0..<count).map { number in
      LabelledImage(
        key: "n\(number % 3)/image\(number)",
        imageIndex: Int64(number * 2),
        map: map(shape, seed: UInt64(number))
      )
    }
  }
}
