import Testing

import Relabel

/// What shards and their index say is compared in one place.
@Suite struct StatementsTests {
  private static func statements(
    _ values: [(String, JSON)],
    _ rule: Rule = .m006
  ) -> Statements {
    Statements(values.map { Statement($0, $1, rule) })
  }

  @Test func differencesComeInTheOrderOfWhatIsExpected() {
    let expected = Self.statements([("rows", .integer(3)), ("writer", .string("w")), ("k", .null)])
    let found = Self.statements([("k", .null), ("writer", .string("v")), ("rows", .integer(4))])
    #expect(found.differences(from: expected).map(\.name) == ["rows", "writer"])
    #expect(expected.differences(from: expected).isEmpty)
  }

  @Test func whatWasNotFoundOutIsNotComparedButWhatIsSharedIs() {
    let nothing = Statements()
    #expect(nothing.differences(from: Self.statements([("sha256", .string("0"))])).isEmpty)
    let shared = Self.statements([("fill", .string("zero"))], .m008)
    #expect(nothing.differences(from: shared).map(\.name) == ["fill"])
  }

  @Test func numbersAreComparedByValueAndListsByElement() {
    let whole = Self.statements([("a", .integer(1)), ("b", .array([.integer(0), .integer(1)]))])
    let real = Self.statements([("a", .number(1)), ("b", .array([.number(0), .number(1)]))])
    #expect(real.differences(from: whole).isEmpty)
    let other = Self.statements([("a", .number(1.5)), ("b", .array([.number(0)]))])
    #expect(other.differences(from: whole).map(\.name) == ["a", "b"])
  }

  @Test func violationsNameBothValuesAndBothSources() throws {
    let expected = Self.statements([("b", .array([.number(0.5), .integer(1)]))])
    let difference = try #require(
      Self.statements([("b", .null)]).differences(from: expected).first
    )
    let violation = difference.violation(in: "the shard", against: "index.json")
    #expect(violation.rule == .m006)
    #expect(violation.message == "'b' is null in the shard, 0.5, 1 in index.json")
    let size = Self.statements([("bytes", .integer(7))], .m005)
    let file = Self.statements([("bytes", .integer(8))], .m005).differences(from: size)
    #expect(
      file.first?.violation(in: "'a.h5'", against: "index.json").message
        == "'bytes' is 8 in 'a.h5', 7 in index.json: it is not the file that was listed"
    )
  }

  @Test func everyStatementOfTheIndexIsOneThatAShardCanMake() throws {
    let header = try Sample.header()
    var said = header.statements(datasets: Layout.required.map(\.name))
    said.sayListed(rows: 1, annotator: nil, classesSHA256: nil)
    #expect(Set(said.all.map(\.name)).count == said.all.count)
    let index = DatasetIndex(
      name: "labels",
      sources: 1,
      buildID: header.buildID,
      numClasses: 10,
      scoreKind: .logit,
      options: [:],
      annotator: nil,
      classesSHA256: nil,
      shards: [],
      leftOut: [],
      writer: header.writer
    )
    let listed = index.statements(
      of: DatasetIndex.Shard(
        path: "labels-00000.h5",
        bytes: 1,
        sha256: "",
        metadataSHA256: header.metadata.sha256,
        rows: 1,
        scoreRange: nil,
        largestError: nil
      )
    )
    // Of the file and its scores the header knows nothing.
    let others: Set = ["bytes", "sha256", "score_min", "score_max", "largest_error"]
    #expect(Set(listed.all.map(\.name)).subtracting(said.all.map(\.name)) == others)
    #expect(said.differences(from: listed).isEmpty)
  }
}
