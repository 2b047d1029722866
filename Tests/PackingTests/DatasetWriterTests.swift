import AnnotatorOutputs
import Relabel
import TestSupport
import Testing

@testable import RelabelPacking

@Suite("Writing datasets from a program")
struct DatasetWriterTests {
  private static let (classes, height, width, count) = (20, 3, 2, 40)

  private func scores(_ place: Int) -> [Float] {
    var random = SplitMix64(state: UInt64(place))
    return (0..<Self.classes * Self.height * Self.width).map { _ in
      Float(random.next() % 4096) / 256
    }
  }

  private func key(_ place: Int) -> String { "train/im\(1000 + place)" }

  private func options(_ output: String) -> PackOptions {
    var options = PackOptions(output: output)
    options.numClasses = Self.classes
    options.scoreKind = .logit
    options.imagesPerShard = 16
    options.jobs = 2
    return options
  }

  private func map(_ place: Int, extent: CropBox = .whole) -> LabelMap {
    let shape = MapShape(height: Self.height, width: Self.width, topK: 5)
    let scores = scores(place)
    var map = TopK.reduce(scores.span, classes: Self.classes, shape: shape) ?? noMap(shape)
    map.extent = extent
    return map
  }

  private func noMap(_ shape: MapShape) -> LabelMap {
    Issue.record("scores are finite")
    return LabelMap(
      shape: shape,
      classIndex: [UInt32](repeating: 0, count: shape.entries),
      score: [Float](repeating: 0, count: shape.entries)
    )
  }

  private func write(_ places: some Sequence<Int>, _ options: PackOptions, isDense: Bool) throws
    -> PackSummary
  {
    let writer = try DatasetWriter(options)
    for place in places where !writer.finishedKeys.contains(key(place)) {
      if isDense {
        let scores = scores(place)
        try writer.append(
          dense: scores.span,
          height: Self.height,
          width: Self.width,
          key: key(place)
        )
      } else {
        try writer.append(map(place), key: key(place))
      }
    }
    return try writer.finish()
  }

  private func shards(_ folder: TemporaryFolder) throws -> [String] {
    try (0..<3).map { try Digest.of(file: folder.file("labels-0000\($0).h5")).hex }
  }

  @Test("dense scores and maps give the same bytes, and what is read is what was written")
  func sameBytes() throws {
    let (a, b) = (TemporaryFolder(), TemporaryFolder())
    let summary = try write(0..<Self.count, options(a.path), isDense: true)
    #expect(summary.index.count == Self.count && summary.cut?.images == 16)
    _ = try write(0..<Self.count, options(b.path), isDense: false)
    #expect(try shards(a) == shards(b))
    let dataset = try ShardedDataset(a.path)
    for place in [0, 17, 39] {
      let position = try #require(try dataset.position(forKey: key(place)))
      #expect(position == place)
      let read = try dataset.map(at: position)
      #expect(Set(read.classIndex) == Set(map(place).classIndex))
    }
  }

  @Test("factors are those of the packer, byte for byte", arguments: [nil, "0.2KL"])
  func factors(budget: String?) throws {
    let (a, b) = (TemporaryFolder(), TemporaryFolder())
    let inputs = try ScratchFolder()
    var settings = FactorSettings()
    settings.quality = 0.001
    settings.budget = budget.flatMap(FactorBudget.init)
    var writing = options(a.path)
    writing.factors = settings
    // One shard: where chunks lie depends on how many images are written together.
    writing.imagesPerShard = 64
    // No more than what settles a budget, so that a folder has it settled by the same images.
    let summary = try write(0..<Self.count, writing, isDense: true)
    try Folder.create("\(inputs.path)/train")
    for place in 0..<Self.count {
      try PublishedFile.write(array(scores(place)), to: "\(inputs.path)/\(key(place)).npy")
    }
    var packing = writing
    (packing.output, packing.inputs) = (b.path, [inputs.path])
    (packing.rowOrder, packing.keyBytes) = (.source, 256)
    let packed = try Packer(packing).run()
    let digests = try [a, b].map { try Digest.of(file: $0.file("labels-00000.h5")).hex }
    #expect(digests[0] == digests[1])
    let error = try #require(summary.targetError)
    #expect(error.images == Self.count && error == packed.targetError)
    if budget != nil { #expect(error.meanDivergence <= 0.2) }
    #expect(throws: RelabelError.self) {
      try write(0..<Self.count, with(writing, TemporaryFolder().path), isDense: false)
    }
  }

  private func with(_ options: PackOptions, _ output: String) -> PackOptions {
    var options = options
    options.output = output
    return options
  }

  /// A file of one array.
  private func array(_ scores: [Float]) -> [UInt8] {
    let shape = "(\(Self.classes), \(Self.height), \(Self.width))"
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    let padded = text + String(repeating: " ", count: 117 - text.utf8.count) + "\n"
    let values = scores.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) }
    return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + values
  }

  @Test("a run that stopped is resumed to the same bytes")
  func resumed() throws {
    let (a, b) = (TemporaryFolder(), TemporaryFolder())
    _ = try write(0..<Self.count, options(a.path), isDense: false)
    do {
      let writer = try DatasetWriter(options(b.path))
      for place in 0..<35 { try writer.append(map(place), key: key(place)) }
    }
    #expect(throws: RelabelError.self) { try ShardedDataset(b.path) }
    #expect(throws: RelabelError.self) { try DatasetWriter(options(b.path)) }
    var resuming = options(b.path)
    resuming.resumes = true
    let summary = try write(0..<Self.count, resuming, isDense: false)
    #expect(summary.keptShards > 0)
    #expect(try shards(a) == shards(b))
  }

  @Test("what cannot be stored is refused by name, and the writer takes nothing more")
  func refused() throws {
    let folder = TemporaryFolder()
    let writer = try DatasetWriter(options(folder.path))
    let error = #expect(throws: RelabelError.self) {
      for place in 0..<Self.count {
        var map = map(place)
        if place == 20 { map.score[3] = .nan }
        try writer.append(map, key: key(place))
      }
      try writer.finish()
    }
    #expect(error?.location.key == key(20))
    #expect(error?.location.cell?.y == 0)
    #expect(throws: RelabelError.self) { try writer.append(map(0), key: "more") }
    #expect(throws: RelabelError.self) { try writer.finish() }
    #expect(!Folder.hasFile(folder.file("index.json")))
  }

  @Test("details are stored, and given for all images or none")
  func details() throws {
    let folder = TemporaryFolder()
    let extent = CropBox(top: 0, left: 0.25, height: 1, width: 0.5)
    let writer = try DatasetWriter(options(folder.path), details: [.sourceLabel, .mapExtent])
    #expect(throws: RelabelError.self) { try writer.append(map(0), key: "a") }
    var details = ImageDetails()
    details.sourceLabel = 7
    for place in 0..<3 {
      try writer.append(map(place, extent: extent), key: key(place), details: details)
    }
    details.imageSize = (1, 1)
    #expect(throws: RelabelError.self) { try writer.append(map(3), key: "a", details: details) }
    try writer.finish()
    let dataset = try ShardedDataset(folder.path)
    #expect(try dataset.map(at: 1).extent == extent)
    let plain = try DatasetWriter(options(TemporaryFolder().path))
    #expect(throws: RelabelError.self) { try plain.append(map(0, extent: extent), key: "a") }
  }

  @Test("options that are missing are asked for")
  func missing() {
    let folder = TemporaryFolder()
    var options = options(folder.path)
    options.scoreKind = nil
    #expect(throws: RelabelError.self) { try DatasetWriter(options) }
    options = self.options(folder.path)
    options.numClasses = nil
    #expect(throws: RelabelError.self) { try DatasetWriter(options) }
    options = self.options(folder.path)
    options.inputs = ["maps"]
    #expect(throws: RelabelError.self) { try DatasetWriter(options) }
  }
}
