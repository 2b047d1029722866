import Relabel
import Testing

@testable import RelabelPages

/// Two datasets are compared by cell, by target and by class.
@Suite("Differences of datasets")
struct DifferenceTests {
  private static let shape = MapShape(height: 1, width: 2, topK: 2)

  static func header(
    _ encoding: ScoreEncoding.Name = .float32,
    shape: MapShape = shape,
    classes: [String]? = nil,
    numClasses: Int = 4
  ) throws -> ShardHeader {
    let table = classes.map { ClassTable(entries: $0.map { .init(id: $0, name: "the \($0)") }) }
    return ShardHeader(
      numClasses: numClasses,
      scoreKind: .logit,
      shape: shape,
      encoding: try ScoreEncoding(encoding, for: .logit),
      keyBytes: 8,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: table)
    )
  }

  static func map(_ ids: [UInt32], _ scores: [Float], _ shape: MapShape = shape) -> LabelMap {
    LabelMap(shape: shape, classIndex: ids, score: scores)
  }

  private static func difference(
    _ one: LabelMap,
    _ other: LabelMap,
    _ tolerance: ScoreTolerance = .number(0),
    _ encodings: (ScoreEncoding.Name, ScoreEncoding.Name) = (.float32, .float32)
  ) throws -> (found: CellDifference, moved: MovedClasses) {
    let comparison = CellComparison(
      try header(encodings.0, shape: one.shape),
      try header(encodings.1, shape: other.shape),
      tolerance
    )
    var moved = MovedClasses()
    return (comparison.difference(one, other, &moved), moved)
  }

  @Test("The order of a cell's entries does not matter")
  func order() throws {
    let (found, moved) = try Self.difference(
      Self.map([0, 1, 2, 3], [4, 3, 2, 1]),
      Self.map([1, 0, 3, 2], [3, 4, 1, 2])
    )
    #expect((found.differingCells, found.lonely, found.common, found.otherBest) == (0, 0, 4, 0))
    #expect((found.scores.differing, found.differingImages, moved.total) == (0, 0, 0))
  }

  @Test("Another class is an entry of one map only, on either side")
  func otherClass() throws {
    let (found, moved) = try Self.difference(
      Self.map([0, 1, 2, 3], [4, 3, 2, 1]),
      Self.map([3, 1, 2, 3], [4, 3, 2, 1])
    )
    #expect((found.differingCells, found.onlyA, found.onlyB, found.common) == (1, 1, 1, 3))
    #expect(found.otherBest == 1 && found.differingImages == 1)
    #expect(moved.top(5).map(\.pair) == [.init(from: 0, to: 3)])
  }

  @Test("More classes in a cell are entries of one side")
  func topK() throws {
    let (found, _) = try Self.difference(
      Self.map([0, 1, 2, 3], [4, 3, 2, 1]),
      Self.map([0, 2], [4, 2], MapShape(height: 1, width: 2, topK: 1))
    )
    #expect((found.onlyA, found.onlyB, found.common, found.differingCells) == (2, 0, 2, 2))
  }

  @Test(
    "Half a step is within what one encoding promises, more is not",
    arguments: [(Float(0x1p-9), 0), (Float(0x1p-8), 1)]
  )
  func promise(by: Float, beyond: Int) throws {
    let (found, _) = try Self.difference(
      Self.map([0, 1, 2, 3], [4, 3, 2, 1]),
      Self.map([0, 1, 2, 3], [4 + by, 3, 2, 1]),
      .encodings,
      (.fixed16, .float32)
    )
    #expect(found.scores.differing == 1 && found.scores.highest == Double(by))
    #expect((found.scores.beyondEncodings, found.scores.beyondTolerance) == (beyond, beyond))
    #expect(found.differingImages == beyond)
  }

  @Test("A grid that lies transposed is recognised")
  func transposed() throws {
    let shape = MapShape(height: 2, width: 2, topK: 1)
    let (found, _) = try Self.difference(
      Self.map([0, 1, 2, 3], [4, 3, 2, 1], shape),
      Self.map([0, 2, 1, 3], [4, 2, 3, 1], shape)
    )
    #expect((found.otherBest, found.otherBestTransposed) == (2, 0))
    #expect(found.isNearerTransposed)
  }

  @Test("Maps of other orientation are compared where they lie on the picture")
  func orientation() throws {
    let (down, across) = (
      MapShape(height: 3, width: 1, topK: 1), MapShape(height: 1, width: 3, topK: 1)
    )
    var (one, other) = (try Self.header(shape: down), try Self.header(shape: across))
    (one.orientation, other.orientation) = (.yx, .xy)
    let comparison = CellComparison(one, other, .number(0))
    var moved = MovedClasses()
    let found = comparison.difference(
      Self.map([0, 1, 2], [1, 1, 1], down),
      Self.map([0, 1, 2], [1, 1, 1], across),
      &moved
    )
    #expect(comparison.obstacle == nil && found.common == 3 && found.lonely == 0)
    #expect(CellComparison(one, try Self.header(shape: across), .number(0)).obstacle != nil)
  }

  @Test("Classes meet by identifier, and the others have numbers of their own")
  func identifiers() throws {
    let (a, b) = (
      try Self.header(classes: ["cat", "dog", "owl", "fox"]),
      try Self.header(classes: ["dog", "cat", "elk", "fox"])
    )
    let match = try ClassMatch(a, b)
    #expect(match.numbers == [1, 0, 6, 3] && match.common == 3)
    #expect(!match.isInB(2) && match.isInB(6) && match.isInB(0))
    #expect(match.name(6, a, b) == "the elk" && match.name(2, a, b) == "the owl")
  }

  @Test("Class lists that have nothing in common are refused, and lists that are not there")
  func otherClasses() throws {
    let cats = try Self.header(classes: ["cat", "dog", "owl", "fox"])
    let numbers = try Self.header(classes: ["1", "2", "3", "4"])
    #expect(throws: RelabelError.self) { try ClassMatch(cats, numbers) }
    #expect(throws: RelabelError.self) { try ClassMatch(cats, Self.header(numClasses: 5)) }
    #expect(try ClassMatch(cats, Self.header()).numbers == nil)
  }

  @Test(
    "Rare pairs are dropped when there are too many, and no count is short by more than is said"
  )
  func boundedPairs() {
    var sum = MovedClasses(capacity: 100)
    for round in 0..<50 as Range<UInt32> {
      var part = MovedClasses(capacity: 100)
      for number in 0..<50 as Range<UInt32> { part.add(round, 1000 + number) }
      for _ in 0..<10 { part.add(7, 8) }
      sum += part
    }
    #expect(sum.total == 50 * 60)
    let top = sum.top(1)[0]
    #expect(top.pair == .init(from: 7, to: 8))
    #expect(top.count <= 500 && top.count + sum.shortBy >= 500)
  }

  @Test("A limit belongs to its bin")
  func bins() {
    var histogram = DifferenceHistogram([0, 1])
    for value in [0, 0.5, 1, 2, .infinity] { histogram.add(value) }
    #expect(histogram.counts == [1, 2, 2])
  }
}
