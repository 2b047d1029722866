import Relabel
import Testing

/// The error of targets: plain arithmetic, which images and crops, and what a shard can't state (spec, section 4.11).
@Suite("Error of targets")
struct TargetMeasureTests {
  private static let (classes, height, width) = (9, 5, 4)

  private static func header(temperature: Double = 1, topK: Int = 9) throws -> ShardHeader {
    var header = ShardHeader(
      numClasses: classes,
      scoreKind: .logit,
      shape: MapShape(height: height, width: width, topK: topK),
      encoding: FactorEncoder.amounts,
      keyBytes: 1,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: nil)
    )
    header.temperature = temperature
    return header
  }

  private static func dense(_ shift: Int = 0) -> DenseMap {
    let shape = MapShape(height: height, width: width, topK: classes)
    let score = (0..<classes * shape.cells).map { Float(($0 * 37 + shift) % 23) / 4 }
    return DenseMap(classes: classes, shape: shape, score: score)
  }

  @Test("Powers and logarithms are the library's, to the last bits")
  func plainArithmetic() {
    for step in 0...7000 {
      let x = -Double(step) / 10
      #expect(abs(PlainExponential.of(x) / Mathematics.exp(x) - 1) < 1e-15)
    }
    #expect(PlainExponential.of(-701.0) == 0 && PlainExponential.of(0.0) == 1)
    for step in 1...7000 {
      let x = 1 + Double(step * step) / 1000
      #expect(abs(PlainLogarithm.of(x) / Mathematics.log(x) - 1) < 1e-15)
    }
    #expect(PlainLogarithm.of(1) == 0)
  }

  @Test("All classes lose nothing, others what pooling by readers says", arguments: [1, 2.5])
  func agreesWithPooling(temperature: Double) throws {
    let measure = TargetMeasure(try Self.header(temperature: temperature))
    let dense = Self.dense()
    let shape = try Self.header().shape
    let kept = TopK.reduce(dense.score.span, classes: 9, shape: shape)
    let all = try #require(kept)
    let none = measure.error(of: all, against: dense, imageIndex: 3)
    #expect(none.images == 1 && none.crops == 8 && none.otherTop == 0)
    #expect(none.meanDivergence < 1e-12 && none.meanDistance < 1e-9)

    // The same crops, pooled by the code of readers.
    let header = try Self.header(temperature: temperature, topK: 2)
    let best = TopK.reduce(dense.score.span, classes: 9, shape: header.shape)
    let some = try #require(best)
    let found = measure.error(of: some, against: dense, imageIndex: 3)
    let pooling = try LabelPooling(header, profile: .relabel)
    var (generator, boxes) = (SplitMix64(state: 3), [CropBox]())
    while boxes.count < 8 { if let box = CropBox.drawn(&generator) { boxes.append(box) } }
    var (divergence, distance) = (0.0, 0.0)
    for (box, given) in zip(boxes, try pooling.targets(of: dense, in: boxes)) {
      let kept = try pooling.target(of: some, in: box).dense()
      for (one, other) in zip(given, kept) {
        divergence += Double(one) * Mathematics.log(Double(one) / Double(other))
        distance += Double(abs(one - other)) / 2
      }
    }
    #expect(abs(found.divergence - divergence) < 1e-5 && abs(found.distance - distance) < 1e-5)
    #expect(found.meanDivergence > 0.001)
  }

  @Test("Every machine measures the numbers that are on record")
  func isOnRecord() throws {
    let encoder = try FactorEncoder(height: 5, width: 4, numClasses: 9, quality: 0.1)
    let measure = TargetMeasure(try Self.header())
    let found = measure.error(
      of: encoder.encode(Self.dense()),
      against: Self.dense(),
      imageIndex: 77
    )
    #expect(found.components.map(\.bitPattern) == Self.onRecord)
  }

  private static let onRecord: [UInt64] = [
    0x3ff0_0000_0000_0000, 0x4020_0000_0000_0000, 0x3fd0_820f_681c_c708, 0x3fe8_78ea_3d6e_1ae6,
    0x4020_0000_0000_0000,
  ]

  @Test("Images are measured by their place in the listing")
  func choice() {
    let measured: [Int64] = [0, 1, 63, 64, 96, 1 << 40]
    for index in measured { #expect(TargetMeasure.includes(index)) }
    for index in [65, 95, -1, -32] as [Int64] { #expect(!TargetMeasure.includes(index)) }
  }

  @Test("Errors add up, and agree with another computation within a thousandth")
  func sums() throws {
    var sum = TargetError(crops: 8, divergence: 0.5, distance: 2, otherTop: 3)
    sum.add(TargetError(crops: 8, divergence: 0.25, distance: 1, otherTop: 0))
    #expect(sum.components == [2, 16, 0.75, 3, 3])
    #expect(TargetError(components: sum.components) == sum)
    #expect(TargetError(ofShards: [sum, nil]) == nil)
    #expect(TargetError(ofShards: [sum, sum])?.components == [4, 32, 1.5, 6, 6])
    for (components, agrees) in [
      ([2, 16, 0.7507, 3, 3], true), ([2, 16, 0.752, 3, 3], false),
      ([2, 16, 0.75, 2.99, 3], false),
      ([2, 16, 0.75, 3, 4], true), ([2, 16, 0.75, 3, 5], false), ([1, 16, 0.75, 3, 3], false),
    ] as [([Double], Bool)] {
      #expect(sum.agrees(with: TargetError(components: components)) == agrees)
    }
  }
}
