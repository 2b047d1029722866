import Relabel
import RelabelPacking
import RelabelVerification
import TestSupport
import Testing

/// The examples of doc comments: `Tests/python/test_docs.py` sees that each stands here, line for line.
@Suite("Examples of doc comments")
struct DocumentationExamples {
  private let temporary = TemporaryFolder()

  @Test("Packing, verifying, reading and pooling the samples")
  func samples() throws {
    let outputs =
      String(#filePath.dropLast("Tests/PackingTests/DocumentationExamples.swift".count))
      + "samples/maps"
    let folder = temporary.path
    try pack(outputs, folder)
    verify(folder)
    try read(folder)
    let dataset = try ShardedDataset(folder)
    let target = try pool(dataset)
    look(into: try dataset.map(at: 3), y: 7, x: 7)
    use(target)
  }

  @Test("Errors are caught with their type")
  func errors() {
    let folder = temporary.file("nothing")
    do {
      _ = try ShardedDataset(folder)
    } catch {
      print(error)  // one line for people
      if let rule = error.rule { print(rule.rawValue, "is explained in spec/rules.md") }
      print(error.location.file ?? "no file")
    }
    #expect(throws: RelabelError.self) { try ShardedDataset(folder) }
  }

  @Test("Writing from a loop")
  func write() throws {
    let folder = temporary.path
    let annotated = (0..<2).map { place in
      ("train/\(place)", (0..<1000 * 15 * 15).map { Float(($0 * 31 + place) % 997) / 64 })
    }
    var options = PackOptions(output: folder)
    options.numClasses = 1000
    options.scoreKind = .logit
    let writer = try DatasetWriter(options)
    for (key, scores) in annotated {
      try writer.append(dense: scores.span, height: 15, width: 15, key: key)
    }
    try writer.finish()
    #expect(try ShardedDataset(folder).count == 2)
  }

  @Test("Writing labels of crops from a loop")
  func writeViews() throws {
    let folder = temporary.path
    let crops = (0..<6).map { place in
      let side = Double(place + 1) / 8
      let box = LabelView.Box(top: 0.125, left: 0, height: side, width: side)
      let logits = (0..<1000).map { Float(($0 * 31 + place) % 997) / 64 }
      return ("train/\(place / 2)", place % 2, box, logits)
    }
    var options = PackOptions(output: folder)
    options.numClasses = 1000
    options.scoreKind = .logit
    options.rowOrder = .image  // all views of an image follow each other
    let how: JSON = .object(["interpolation": .string("bilinear")])
    let views = WrittenViews(details: [.box, .flip], document: how)
    let writer = try DatasetWriter(options, views: views)
    for (key, number, box, logits) in crops {
      var view = LabelView(number: number)
      view.box = box
      view.isFlipped = number % 2 == 1
      try writer.append(dense: logits.span, height: 1, width: 1, key: key, view: view)
    }
    try writer.finish()
    let dataset = try ShardedDataset(folder)
    #expect(try dataset.positions(forKey: "train/1") == [2, 3])
    #expect(try dataset.view(at: 3).box == crops[3].2)
    verify(folder)
  }

  private func pack(_ outputs: String, _ folder: String) throws {
    var options = PackOptions(inputs: [outputs], output: folder)
    options.orientation = .yx  // the rows of the maps run down the picture
    options.numClasses = 1000
    let summary = try Packer(options).run()
    print(summary.index.count, "images,", summary.bytesPerImage, "bytes each")
    #expect(summary.index.count == 18)
  }

  private func verify(_ folder: String) {
    let report = Verifier(jobs: 2).verify([folder])
    for finding in report.findings {
      print(finding.rule.rawValue, finding.location, finding.message)
    }
    print(report.verdict)
    #expect(report.exitStatus == .success)
  }

  private func read(_ folder: String) throws {
    let dataset = try ShardedDataset(folder)
    for position in 0..<dataset.count {
      let map = try dataset.map(at: position)
      print(try dataset.key(at: position), map.shape)
    }
    #expect(dataset.count == 18)
  }

  private func look(into map: LabelMap, y: Int, x: Int) {
    let first = (y * map.shape.width + x) * map.shape.topK
    for entry in first..<first + map.shape.topK {
      print(map.classIndex[entry], map.score[entry])
    }
    #expect(map.cell(at: first) == Location.Cell(y: y, x: x, rank: 0))
  }

  private func pool(_ dataset: ShardedDataset) throws -> PooledTarget {
    let pooling = try LabelPooling(dataset.header)
    let crop = CropBox(top: 0.1, left: 0.1, height: 0.4, width: 0.4)
    let target = try pooling.target(of: dataset.map(at: 0), in: crop)
    for (classIndex, probability) in target.top(3) { print(classIndex, probability) }
    return target
  }

  private func use(_ target: PooledTarget) {
    let probabilities = target.dense()  // one for each class
    let best = target.top(1)[0].classIndex
    #expect(probabilities.count == 1000)
    #expect(probabilities.max() == probabilities[Int(best)])
  }
}
