import Relabel
import RelabelPacking
import TestSupport
import Testing

@testable import RelabelPages

/// Measures are compared with dense targets, which are worked out number by number.
@Suite("Measures of maps")
struct MeasuresTests {
  @Test(
    "Targets, entropies and missing mass are those of the dense target",
    arguments: ScoreKind.allCases
  )
  func measures(kind: ScoreKind) throws {
    let dataset = try RandomDataset(kind: kind)
    let pooling = try LabelPooling(dataset.maps.header)
    try MeasurePass(dataset.maps, jobs: 2).run { (position, measures) throws(RelabelError) in
      let map = try dataset.maps.map(at: position)
      let target = try pooling.target(of: map, in: .whole)
      let dense = target.dense().map(Double.init)
      let best = target.top(2)
      #expect(measures.best == best[0].classIndex)
      #expect(abs(measures.probability - best[0].probability) < 1e-6)
      #expect(measures.second?.classIndex == best[1].classIndex)
      #expect(abs(Double(measures.entropy) - entropy(dense)) < 1e-4)
      let stored = target.probability.reduce(0, +)
      #expect(abs((measures.missing ?? -1) - max(0, 1 - stored)) < 1e-5)
      #expect(!measures.isConstant)
      let label = Int(dataset.labels[position])
      #expect(abs(Double(measures.label?.probability ?? -1) - dense[label]) < 1e-6)
      #expect(measures.label?.isSeen == map.classIndex.contains(UInt32(label)))
      for (place, box) in CropSet.boxes.enumerated() {
        #expect(try measures.crops?[place] == pooling.target(of: map, in: box).top(1)[0].classIndex)
      }
    }
  }

  @Test(
    "A cell's entropy and missing mass are those of a map of this cell alone",
    arguments: ScoreKind.allCases
  )
  func cells(kind: ScoreKind) throws {
    let dataset = try RandomDataset(kind: kind)
    let header = try dataset.maps.header
    let shape = MapShape(height: 1, width: 1, topK: header.shape.topK)
    var one = header
    one.shape = shape
    let pooling = try LabelPooling(one)
    let pass = try MeasurePass(dataset.maps, jobs: 1)
    var means = [Double](repeating: 0, count: header.shape.cells)
    try pass.run { (position, measures) throws(RelabelError) in
      let map = try dataset.maps.map(at: position)
      var (sum, missing) = (0.0, 0.0)
      for cell in 0..<header.shape.cells {
        let entries = cell * shape.topK..<(cell + 1) * shape.topK
        let alone = LabelMap(
          shape: shape,
          classIndex: Array(map.classIndex[entries]),
          score: Array(map.score[entries])
        )
        let target = try pooling.target(of: alone, in: .whole)
        let entropy = entropy(target.dense().map(Double.init))
        means[cell] += entropy / Double(dataset.maps.count)
        sum += entropy
        missing += max(0, 1 - target.probability.reduce(0) { $0 + Double($1) })
      }
      let cells = Double(header.shape.cells)
      #expect(abs(Double(measures.cellEntropy) - sum / cells) < 1e-4)
      #expect(abs(Double(measures.cellMissing ?? -1) - missing / cells) < 1e-5)
    }
    for (mean, expected) in zip(pass.measurer.counts.meanEntropies, means) {
      #expect(abs(mean - expected) < 1e-4)
    }
  }

  @Test("Measures are the same for any number of jobs")
  func jobs() throws {
    let dataset = try RandomDataset(kind: .logit)
    func all(_ jobs: Int) throws -> [ImageMeasures] {
      var all: [ImageMeasures] = []
      try MeasurePass(dataset.maps, jobs: jobs).run { (_, measures) throws(RelabelError) in
        all.append(measures)
      }
      return all
    }
    #expect(try all(1) == all(4))
    #expect(try Set(all(1).map(\.digest)).count == dataset.maps.count)
  }

  @Test("A map that speaks against its label is suspicious, and one that agrees is not")
  func suspicion() throws {
    let dataset = try RandomDataset(kind: .logit)
    defer { withExtendedLifetime(dataset) {} }
    let header = try dataset.maps.header
    let measurer = try Measurer(header)
    let map = RandomDataset.map(of: 3, header.shape)
    let agreeing = try measurer.measure(map, label: 3)
    let other = try measurer.measure(map, label: 19)
    #expect(agreeing.suspicion < 0.05 && other.suspicion > 0.9)
    var constant = map
    for cell in 1..<header.shape.cells {
      for rank in 0..<header.shape.topK {
        constant.classIndex[cell * header.shape.topK + rank] = map.classIndex[rank]
        constant.score[cell * header.shape.topK + rank] = map.score[rank]
      }
    }
    #expect(try measurer.measure(constant, label: 3).suspicion > 0.89)
  }

  private func entropy(_ target: [Double]) -> Double {
    let sum = target.reduce(0, +)
    return target.reduce(0) {
      $1 > 0 ? $0 - $1 / sum * Mathematics.log($1 / sum) / Mathematics.log(2.0) : $0
    }
  }
}

/// A dataset of random maps with random labels.
struct RandomDataset {
  private let folder = TemporaryFolder()
  let maps: any LabelMapSource
  let labels: [Int32]

  init(kind: ScoreKind) throws {
    var options = PackOptions(output: folder.path)
    options.numClasses = 20
    options.scoreKind = kind
    options.imagesPerShard = 16
    let writer = try DatasetWriter(options, details: [.sourceLabel])
    var random = SplitMix64(state: 7)
    var labels: [Int32] = []
    for number in 0..<40 {
      labels.append(Int32(random.next() % 20))
      let (height, width) = (5, 4)
      var scores: [Float] = []
      for _ in 0..<20 * height * width { scores.append(Float(random.next() % 4096) / 256) }
      if kind != .logit { Self.normalise(&scores, cells: height * width, kind) }
      var details = ImageDetails()
      details.sourceLabel = labels[number]
      try writer.append(
        dense: scores.span,
        height: height,
        width: width,
        key: "im\(100 + number)",
        details: details
      )
    }
    _ = try writer.finish()
    maps = try openLabelMaps(folder.path)
    self.labels = labels
  }

  private static func normalise(_ scores: inout [Float], cells: Int, _ kind: ScoreKind) {
    for cell in 0..<cells {
      let places = stride(from: cell, to: scores.count, by: cells)
      let total = places.reduce(Float(0)) { $0 + Mathematics.exp(scores[$1] / 3) }
      for place in places {
        let share = Mathematics.exp(scores[place] / 3) / total
        scores[place] = kind == .probability ? share : Mathematics.log(share)
      }
    }
  }

  /// A map that is sure of a class.
  static func map(of id: UInt32, _ shape: MapShape) -> LabelMap {
    var map = LabelMap(
      shape: shape,
      classIndex: (0..<shape.entries).map { (id + UInt32($0 % shape.topK)) % 20 },
      score: (0..<shape.entries).map { Float(20 - $0 % shape.topK * 4) + Float($0) / 4096 }
    )
    map = LabelMap(checked: shape, map.classIndex, map.score, .whole)
    return map
  }
}
