import HelperProcesses
import Relabel
import Testing

@testable import RelabelVerification

/// What a helper process sends is taken only when a report can be made of it.
@Suite struct HelperMessageTests {
  private static let facts = JSON.object([
    "shared": .object([:]), "rows": .integer(2), "build_id": .string("b"), "writer": .string("w"),
    "num_classes": .integer(10), "score_kind": .string("logit"), "metadata_sha256": .string("m"),
  ])

  /// Images, thirteen more counts, mean, sum of squares, likely kinds, lowest score.
  private static func statistics(
    images: UInt64 = 2,
    mean: Double = 1.5,
    squares: Double = 0.25,
    lowest: UInt64 = 0
  ) -> [UInt64] {
    [images] + Array(repeating: 0, count: 13) + [mean.bitPattern, squares.bitPattern, 0, lowest]
  }

  private func receive(_ facts: JSON, _ words: [UInt64]) throws -> ShardOutcome {
    var receiver = ShardOutcomeReceiver(fileBytes: 1 << 10)
    try receiver.receive(HelperMessage(.object(["facts": facts])))
    try receiver.receive(HelperMessage(.object(["array": .string("statistics")])))
    for message in HelperMessage.words(words) { try receiver.receive(message) }
    return receiver.outcome
  }

  @Test func saneStatisticsAreTaken() throws {
    let statistics = try #require(try receive(Self.facts, Self.statistics()).facts?.statistics)
    #expect(statistics.scoreMean == 1.5 && statistics.scoreDeviation == 0.5)
  }

  @Test(arguments: [
    statistics(images: 1 << 41), statistics(mean: .nan), statistics(mean: 1e300),
    statistics(squares: -1), statistics(squares: .infinity),
    statistics(lowest: 1 << 32), statistics(lowest: UInt64(Float.nan.bitPattern)), [1, 2, 3],
  ])
  func statisticsWithoutSenseAreRefused(words: [UInt64]) {
    #expect(throws: RelabelError.self) { try receive(Self.facts, words) }
  }

  @Test(arguments: [(0.0, 1e300), (2.0, 1.0)])
  func scoreRangesWithoutSenseAreRefused(low: Double, high: Double) throws {
    guard case .object(var facts) = Self.facts else { return }
    (facts["score_min"], facts["score_max"]) = (.number(low), .number(high))
    #expect(throws: RelabelError.self) { try receive(.object(facts), Self.statistics()) }
  }
}
