import Testing

@testable import RelabelVerification

@Suite("Numbers that occur twice")
struct RepeatsTests {
  @Test("One repeat is found wherever it is", arguments: [2, 3, 1000, 65_536, 200_000])
  func one(count: Int) {
    let numbers = (0..<UInt64(count)).map { $0 &* 0x9E37_79B9_7F4A_7C15 }
    #expect(!Repeats.exist(in: [numbers]))
    for place in [0, count / 2, count - 1] {
      #expect(Repeats.exist(in: [numbers, [numbers[place]]]))
    }
  }

  @Test("Zero counts as any number, signs matter, and nothing holds no repeats")
  func edges() {
    #expect(!Repeats.exist(in: [[0, 1, -1, Int64.min, Int64.max]]))
    #expect(Repeats.exist(in: [[0, 1], [2, 0]]))
    #expect(Repeats.exist(in: [[-1, -1 as Int64]]))
    #expect(!Repeats.exist(in: [[Int64]]()))
    #expect(!Repeats.exist(in: [[] as [UInt64], [7]]))
  }
}
