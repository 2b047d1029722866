import RelabelPacking
import Relabel
import Testing

@Suite("Row order")
struct RowPermutationTests {
  struct Vector: CustomTestStringConvertible, Sendable {
    let seed: UInt64
    let places: [Int]
    var testDescription: String { "seed \(seed)" }
  }

  @Test("Source order changes nothing")
  func source() {
    #expect(RowPermutation.places(5, .source) == [0, 1, 2, 3, 4])
  }

  // The vectors of the spec, section 9.4.
  @Test(
    "A shuffle is the spec's",
    arguments: [
      Vector(seed: 0, places: [4, 9, 2, 5, 1, 7, 6, 0, 3, 8]),
      Vector(seed: 1, places: [9, 0, 1, 4, 8, 2, 3, 7, 6, 5]),
      Vector(seed: 42, places: [8, 3, 6, 5, 4, 0, 9, 2, 1, 7]),
    ]
  )
  func vectors(_ vector: Vector) {
    #expect(RowPermutation.places(10, .shuffled(seed: vector.seed)) == vector.places)
  }

  @Test("A shuffle keeps every place once", arguments: [0, 1, 2, 1000])
  func cover(_ count: Int) {
    let places = RowPermutation.places(count, .shuffled(seed: 3))
    #expect(places.sorted() == Array(0..<count))
    if count > 2 { #expect(places != Array(0..<count)) }
  }
}
