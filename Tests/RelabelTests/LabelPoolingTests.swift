import Glibc
import Relabel
import Testing

@Suite("LabelPooling")
struct LabelPoolingTests {
  @Test("A target is the vector's", arguments: PoolingVector.all.filter { $0.expected != nil })
  func vectors(_ vector: PoolingVector) throws {
    let pooling = try LabelPooling(
      vector.header,
      profile: vector.profile,
      outside: vector.outside
    )
    let target = try pooling.target(of: vector.map, in: vector.box)
    #expect(vector.error(of: target.dense()) <= 1e-6)
    #expect(abs(target.covered - (vector.expected?.covered ?? .nan)) <= 1e-6)
    #expect(target.classIndex == target.classIndex.sorted())
  }

  @Test("What has no target is refused", arguments: PoolingVector.all.filter { $0.expected == nil })
  func refused(_ vector: PoolingVector) throws {
    let error = #expect(throws: RelabelError.self) {
      try LabelPooling(vector.header, profile: vector.profile, outside: vector.outside)
        .target(of: vector.map, in: vector.box)
    }
    #expect(error?.code == .usage)
  }

  @Test("There are vectors, and cases to refuse")
  func vectorsExist() {
    #expect(PoolingVector.all.count { $0.expected != nil } >= 50)
    #expect(PoolingVector.all.count { $0.expected == nil } >= 10)
  }

  /// A way to get LabelPooling wrong that the vectors must notice.
  enum Mistake: CaseIterable, Sendable {
    case none, heavierWeight, exactCeil, swappedAxes, truncatedSamples, shiftedByHalf
  }

  @Test("The vectors see a wrong weight, ceil or axis order", arguments: Mistake.allCases)
  func mistakes(_ mistake: Mistake) throws {
    let vectors = PoolingVector.all.filter { vector in
      vector.expected != nil && vector.header.scoreKind == .logit && vector.map.extent == .whole
        && vector.profile == .relabel && vector.header.orientation == .yx
        && vector.header.classesAre == .exclusive && !vector.header.hasFactors
    }
    let wrong = vectors.count { $0.error(of: naive($0, mistake)) > 1e-6 }
    if mistake == .none { #expect(wrong == 0) } else { #expect(wrong >= 1) }
  }

  /// LabelPooling over the dense array, written straight from the spec, with a mistake.
  private func naive(_ vector: PoolingVector, _ mistake: Mistake) -> [Double] {
    let (map, box) = (vector.map, vector.box)
    var rows = weights(box.top, box.height, map.shape.height, mistake)
    var columns = weights(box.left, box.width, map.shape.width, mistake)
    if mistake == .swappedAxes, map.shape.height == map.shape.width { swap(&rows, &columns) }
    if mistake == .heavierWeight { rows[0] *= 1.0001 }
    var sums = [Double](repeating: 0, count: vector.header.numClasses)
    for entry in map.classIndex.indices {
      let cell = entry / map.shape.topK
      let weight = rows[cell / map.shape.width] * columns[cell % map.shape.width]
      sums[Int(map.classIndex[entry])] += weight * Double(map.score[entry])
    }
    let highest = sums.max() ?? 0
    let powers = sums.map { exp(($0 - highest) / vector.header.temperature) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }

  private func weights(_ start: Double, _ length: Double, _ n: Int, _ mistake: Mistake) -> [Double]
  {
    let (low, high): (Float, Float) = (
      Float(start) * Float(n) - 0.5, Float(start + length) * Float(n) - 0.5
    )
    var extent = Double(max(high - low, 1))
    var samples = Int(extent.rounded(.up))
    switch mistake {
    case .exactCeil:
      extent = max(length * Double(n), 1)
      samples = Int(extent.rounded(.up))
    case .truncatedSamples: samples = Int(extent)
    default: break
    }
    var weights = [Double](repeating: 0, count: n)
    for sample in 0..<samples {
      let middle = mistake == .shiftedByHalf ? 0 : 0.5
      let place = Double(low) + (Double(sample) + middle) * extent / Double(samples)
      for cell in 0..<n {
        let distance = abs(min(max(place, 0), Double(n - 1)) - Double(cell))
        weights[cell] += max(0, 1 - distance) / Double(samples)
      }
    }
    return weights
  }

  @Test("The whole picture weighs all cells alike")
  func whole() throws {
    let header = try Sample.header()
    let map = Sample.map(header.shape, seed: 3)
    let target = try LabelPooling(header, profile: .relabel).target(of: map, in: .whole)
    var sums = [Double](repeating: 0, count: header.numClasses)
    for (id, score) in zip(map.classIndex, map.score) {
      sums[Int(id)] += Double(score) / Double(map.shape.cells)
    }
    let total = sums.reduce(0) { $0 + exp($1) }
    for (probability, sum) in zip(target.dense(), sums) {
      #expect(abs(Double(probability) - exp(sum) / total) < 1e-7)
    }
    #expect(
      target.top(2).map(\.probability) == target.probability.sorted(by: >).prefix(2).map(\.self)
    )
  }

  @Test("Maps of unknown orientation need a named profile")
  func unknownOrientation() throws {
    var header = try Sample.header()
    let error = #expect(throws: RelabelError.self) { try LabelPooling(header) }
    #expect(error?.message.contains("relabel-2021") == true)
    header.orientation = .yx
    #expect(try LabelPooling(header).profile == .relabel)
  }

  @Test(
    "Maps that no reader would hand out are refused by cell",
    arguments: [
      (
        [0, 1, 2, 10], [1, 1, 1, 1], Location.Cell(y: 0, x: 1),
        "class ids [2, 10] are not all below 10"
      ),
      (
        [4, 4, 0, 1], [1, 2, 1, 1], Location.Cell(y: 0, x: 0), "class ids [4, 4] are not distinct"
      ),
      (
        [4, 5, 0, 1], [1, 2, .nan, 1], Location.Cell(y: 0, x: 1),
        "scores [nan, 1.0] are not all finite"
      ),
      (
        [4, 5, 0, 1], [1, -.infinity, 1, 1], Location.Cell(y: 0, x: 0),
        "scores [1.0, -inf] are not all finite"
      ),
    ] as [([UInt32], [Float], Location.Cell, String)]
  )
  func unsoundMaps(_ ids: [UInt32], _ scores: [Float], _ cell: Location.Cell, _ text: String) throws
  {
    var header = try Sample.header(shape: MapShape(height: 1, width: 2, topK: 2))
    header.orientation = .yx
    let map = LabelMap(shape: header.shape, classIndex: ids, score: scores)
    let error = #expect(throws: RelabelError.self) {
      try LabelPooling(header).target(of: map, in: .whole)
    }
    #expect(error?.code == .invalidInput)
    #expect(error?.location.cell == cell)
    #expect(error?.message == text)
  }

  @Test(
    "A box is refused with its reason",
    arguments: [
      (CropBox(top: .nan, left: 0, height: 1, width: 1), "top is nan"),
      (CropBox(top: 0, left: -0.1, height: 1, width: 1), "left is -0.1"),
      (CropBox(top: 0, left: 0, height: 0, width: 1), "empty"),
      (CropBox(top: 0.5, left: 0, height: 0.6, width: 1), "lower edge"),
      (CropBox(top: 0, left: 0.5, height: 1, width: 0.6), "right edge"),
      (CropBox(top: 0, left: 1, height: 1, width: 1e-7), "far edge"),
      (CropBox(top: 0, left: 0, height: .infinity, width: 1), "height is inf"),
    ]
  )
  func boxes(_ box: CropBox, _ reason: String) throws {
    #expect(box.fault?.contains(reason) == true)
    let header = try Sample.header()
    #expect(throws: RelabelError.self) {
      try LabelPooling(header, profile: .relabel).target(
        of: Sample.map(header.shape, seed: 1),
        in: box
      )
    }
  }
}
