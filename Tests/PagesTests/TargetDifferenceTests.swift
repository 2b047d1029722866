import Relabel
import Testing

@testable import RelabelPages

/// Targets are compared over all classes that either dataset has.
@Suite("Differences of targets")
struct TargetDifferenceTests {
  /// The targets of two maps, sparse and dense, over the whole picture.
  private static func targets(
    _ a: (ids: [UInt32], scores: [Float]),
    _ b: (ids: [UInt32], scores: [Float]),
    _ headers: (ShardHeader, ShardHeader)
  ) throws -> (pair: TargetPair, dense: ([Float], [Float])) {
    let shape = MapShape(height: 1, width: 1, topK: a.ids.count)
    let one = try LabelPooling(headers.0, profile: .relabel)
      .target(of: DifferenceTests.map(a.ids, a.scores, shape), in: .whole)
    let other = try LabelPooling(headers.1, profile: .relabel)
      .target(of: DifferenceTests.map(b.ids, b.scores, shape), in: .whole)
    let match = try ClassMatch(headers.0, headers.1)
    return (TargetPair(one, other, match), (one.dense(), other.dense()))
  }

  @Test("Absent classes count, and the divergence is that of dense targets")
  func dense() throws {
    let header = try DifferenceTests.header(numClasses: 50)
    let (pair, (a, b)) = try Self.targets(
      ([3, 9], [2, 1]),
      ([9, 20], [1.5, -1]),
      (header, header)
    )
    var (halfL1, divergence) = (0.0, 0.0)
    for (p, q) in zip(a, b) {
      halfL1 += abs(Double(p) - Double(q)) / 2
      divergence += Double(p) * Mathematics.log(Double(p) / Double(q))
    }
    #expect(abs(pair.halfL1 - halfL1) < 1e-9)
    #expect(abs((pair.divergence ?? -1) - divergence) < 1e-9)
    #expect((pair.topA, pair.topB) == (3, 9))
  }

  @Test("Classes that one dataset lacks have no probability there")
  func otherClasses() throws {
    let a = try DifferenceTests.header(classes: ["cat", "dog"], numClasses: 2)
    let b = try DifferenceTests.header(classes: ["owl", "cat", "elk"], numClasses: 3)
    let (pair, (ofA, ofB)) = try Self.targets(([0], [1]), ([1], [1]), (a, b))
    let halfL1 = (abs(ofA[0] - ofB[1]) + ofA[1] + ofB[0] + ofB[2]) / 2
    #expect(abs(pair.halfL1 - Double(halfL1)) < 1e-6)
    // B excludes the dog, and A does not.
    #expect(pair.divergence == nil)
    #expect((pair.topA, pair.topB) == (0, 0))
  }

  @Test("The most probable class may be one without an entry")
  func absentBest() throws {
    let header = try DifferenceTests.header(numClasses: 5)
    let (pair, _) = try Self.targets(([0, 1], [-3, -4]), ([0, 1], [-3, 2]), (header, header))
    #expect((pair.topA, pair.topB) == (2, 1))
  }

  @Test("Crops are the same for a key and a seed, and lie in the part that both maps cover")
  func crops() throws {
    let name = RowName(key: "n01443537/n01443537_00069", view: nil)
    var (one, other) = (RandomCrops(name, seed: 5), RandomCrops(name, seed: 5))
    var views = RandomCrops(RowName(key: name.key, view: 0), seed: 5)
    let part = CropBox(top: 0.25, left: 0.5, height: 0.5, width: 0.25)
    for _ in 0..<100 {
      let crop = one.next(within: .whole)
      #expect(crop.fault == nil && crop == other.next(within: .whole))
      #expect(crop != views.next(within: .whole))
    }
    for _ in 0..<100 {
      let crop = one.next(within: part)
      #expect(crop.top >= 0.25 && crop.top + crop.height <= 0.75 + 1e-9)
      #expect(crop.left >= 0.5 && crop.left + crop.width <= 0.75 + 1e-9)
    }
    #expect(CropBox.whole.intersection(part) == part)
    #expect(part.intersection(CropBox(top: 0.8, left: 0, height: 0.2, width: 1)) == nil)
  }
}
