import Relabel
import Testing

@Suite("Score encodings")
struct ScoreEncodingTests {
  struct Default: CustomTestStringConvertible, Sendable {
    let name: ScoreEncoding.Name
    let kind: ScoreKind
    let step: Float
    let range: ClosedRange<Float>
    var testDescription: String { "\(name.rawValue), \(kind.rawValue)" }
  }

  // The table of the spec, section 6.2.
  @Test(
    "Default steps and ranges are those of the spec",
    arguments: [
      Default(name: .fixed16, kind: .logit, step: 1 / 256, range: -128...127.9921875),
      Default(name: .fixed16, kind: .probability, step: 1 / 32768, range: 0...1.99993896484375),
      Default(name: .fixed16, kind: .logProbability, step: 1 / 1024, range: -63.998046875...0),
      Default(name: .fixed8, kind: .logit, step: 1 / 4, range: -2...61.5),
      Default(name: .fixed8, kind: .probability, step: 1 / 128, range: 0...1.984375),
      Default(name: .fixed8, kind: .logProbability, step: 1 / 4, range: -63.5...0),
    ]
  )
  func defaults(_ expected: Default) throws {
    let encoding = try ScoreEncoding(expected.name, for: expected.kind)
    #expect(encoding.packing?.step == expected.step)
    #expect(encoding.range == expected.range)
    #expect(encoding.bound == Double(expected.step) / 2)
  }

  @Test(
    "The step is the largest power of two whose half is within the error",
    arguments: [(0.25, 0.5), (0.3, 0.5), (0.01, 0.015625), (0.001, 0.001953125)]
  )
  func maximumError(_ allowed: Double, _ step: Double) throws {
    let encoding = try ScoreEncoding(.fixed16, for: .logit, maximumError: allowed)
    #expect(encoding.packing?.step == Float(step))
    #expect(encoding.packing?.offset == Float(-32_768 * step))
  }

  @Test("A step too fine to hold a probability of 1 is refused up front")
  func probabilityOfOne() throws {
    #expect(throws: RelabelError.self) {
      try ScoreEncoding(.fixed16, for: .probability, maximumError: 1e-6)
    }
    #expect(throws: RelabelError.self) {
      try ScoreEncoding(.fixed8, for: .probability, maximumError: 1e-3)
    }
    #expect(throws: RelabelError.self) { try ScoreEncoding(.fixed16, for: .logit, maximumError: 0) }
    #expect(throws: RelabelError.self) {
      try ScoreEncoding(.fixed16, for: .logit, maximumError: .nan)
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let name: ScoreEncoding.Name
    let order: CellOrder
    let shape: MapShape
    var testDescription: String { "\(name.rawValue), \(order.rawValue), \(shape)" }

    static let all: [Case] = ScoreEncoding.Name.allCases.flatMap { name in
      CellOrder.allCases.flatMap { order in
        [
          MapShape(height: 15, width: 15, topK: 5), MapShape(height: 2, width: 9, topK: 1),
          MapShape(height: 1, width: 1, topK: 7),
        ].map { Case(name: name, order: order, shape: $0) }
      }
    }
  }

  @Test("Labels come back in order and within the bound", arguments: Case.all)
  func roundTrip(_ test: Case) throws {
    let header = try Sample.header(test.name, shape: test.shape, order: test.order)
    let codec = MapCodec(header)
    let given = Sample.map(test.shape, seed: 3)
    let encoded = try codec.encode(LabelledImage(key: "a", imageIndex: 0, map: given))
    let ids = codec.classIndex(encoded.classIndex[...])
    let scores = codec.score(encoded.score[...])
    var largest = 0.0
    for cell in 0..<test.shape.cells {
      let range = cell * test.shape.topK..<(cell + 1) * test.shape.topK
      let source = Dictionary(
        uniqueKeysWithValues: zip(given.classIndex[range], given.score[range])
      )
      #expect(Set(ids[range]) == Set(source.keys))
      for entry in range {
        largest = max(largest, abs(Double(scores[entry]) - Double(source[ids[entry]] ?? .nan)))
        guard entry > range.lowerBound else { continue }
        switch test.order {
        case .source: #expect(given.classIndex[entry] == ids[entry])
        case .class: #expect(ids[entry - 1] < ids[entry])
        case .score:
          let isOrdered =
            scores[entry - 1] > scores[entry]
            || (scores[entry - 1] == scores[entry] && ids[entry - 1] < ids[entry])
          #expect(isOrdered)
        }
      }
    }
    #expect(largest == encoded.largestError)
    if let bound = header.encoding.bound { #expect(largest <= bound) }
    #expect(encoded.scoreRange == (scores.min() ?? 0)...(scores.max() ?? 0))
  }

  struct Refusal: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var name: ScoreEncoding.Name = .fixed16
    var kind: ScoreKind = .logit
    var maximumError: Double?
    let ids: [UInt32]
    let scores: [Float]
    let says: String

    static let all: [Refusal] = [
      Refusal(testDescription: "NaN", ids: [1, 2], scores: [1, .nan], says: "nan"),
      Refusal(
        testDescription: "infinity",
        name: .float32,
        ids: [1, 2],
        scores: [.infinity, 1],
        says: "inf"
      ),
      Refusal(testDescription: "above the range", ids: [1, 2], scores: [128, 1], says: "128.0"),
      Refusal(
        testDescription: "below the range",
        ids: [1, 2],
        scores: [1, -128.1],
        says: "-128.1"
      ),
      Refusal(
        testDescription: "fixed8 range",
        name: .fixed8,
        ids: [1, 2],
        scores: [62, 1],
        says: "62.0"
      ),
      Refusal(
        testDescription: "float16 overflow",
        name: .float16,
        ids: [1, 2],
        scores: [70_000, 1],
        says: "70000"
      ),
      Refusal(
        testDescription: "float16 error",
        name: .float16,
        maximumError: 1e-4,
        ids: [1, 2],
        scores: [40.01, 1],
        says: "largest error"
      ),
      Refusal(
        testDescription: "class id too large",
        ids: [1, 10],
        scores: [2, 1],
        says: "class id 10"
      ),
      Refusal(testDescription: "class id twice", ids: [4, 4], scores: [2, 1], says: "twice"),
      Refusal(
        testDescription: "probability above 1",
        kind: .probability,
        ids: [1, 2],
        scores: [1.5, 0],
        says: "score kind"
      ),
      Refusal(
        testDescription: "negative probability",
        kind: .probability,
        ids: [1, 2],
        scores: [0.5, -0.1],
        says: "-0.1"
      ),
      Refusal(
        testDescription: "sum above 1",
        kind: .probability,
        ids: [1, 2],
        scores: [0.8, 0.7],
        says: "sum"
      ),
      Refusal(
        testDescription: "positive log-probability",
        kind: .logProbability,
        ids: [1, 2],
        scores: [0.5, -1],
        says: "0.5"
      ),
      Refusal(
        testDescription: "log-probability sum",
        kind: .logProbability,
        ids: [1, 2],
        scores: [-0.1, -0.1],
        says: "sum"
      ),
    ]
  }

  @Test("What an encoding or a rule can't hold is refused with its cell", arguments: Refusal.all)
  func refusals(_ test: Refusal) throws {
    let shape = MapShape(height: 1, width: 2, topK: 2)
    let encoding = try ScoreEncoding(test.name, for: test.kind, maximumError: test.maximumError)
    let header = try Sample.header(encoding, kind: test.kind, shape: shape)
    let sound: [Float] = test.kind == .logProbability ? [-1, -2] : [0.5, 0.25]
    let map = LabelMap(shape: shape, classIndex: [0, 1] + test.ids, score: sound + test.scores)
    let error = #expect(throws: RelabelError.self) {
      try MapCodec(header).encode(LabelledImage(key: "n1/a", imageIndex: 0, map: map))
    }
    #expect(error?.code == .invalidInput)
    #expect(error?.location.key == "n1/a")
    #expect(error?.location.cell?.x == 1)
    #expect(error?.message.contains(test.says) == true, "\(String(describing: error))")
  }

  @Test("A map of another shape is refused")
  func otherShape() throws {
    let header = try Sample.header(.fixed16, shape: MapShape(height: 2, width: 2, topK: 2))
    let map = Sample.map(MapShape(height: 2, width: 3, topK: 2), seed: 1)
    #expect(throws: RelabelError.self) {
      try MapCodec(header).encode(LabelledImage(key: "a", imageIndex: 0, map: map))
    }
  }
}
