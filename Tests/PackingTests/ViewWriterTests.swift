import AnnotatorOutputs
import Relabel
import RelabelVerification
import TestSupport
import Testing

@testable import RelabelPacking

@Suite("Writing labels of crops from a program")
struct ViewWriterTests {
  private static let (classes, epochs, batch) = (10, 3, 4)

  /// A run of three epochs with a batch of four views each, as it was trained.
  private struct Row {
    let key: String
    var view: LabelView
    let scores: [Float]
  }

  private func run() -> [Row] {
    (0..<Self.epochs).flatMap { epoch in
      (0..<Self.batch).map { slot in
        var view = LabelView(number: epoch)
        view.box = .init(top: 0.25, left: -0.5, height: Double(slot + 1) / 4, width: 1.5)
        view.isFlipped = slot == 2 ? nil : slot % 2 == 0
        view.seed = Int64(epoch) << 40 + Int64(slot)
        view.replay = .init(epoch: epoch, batch: 7, slot: slot)
        if epoch != 1 {
          view.cutmixShare = 0.25
          view.cutmixBox = .init(top: 0, left: 1, bottom: 8, right: 4)
          view.cutmixPartner = .init(imageIndex: Int64((slot + 1) % 4), slot: (slot + 1) % 4)
        }
        if slot == 3 { view.operations = #"{"a":[1.5,"é"]}"# }
        var random = SplitMix64(state: UInt64(epoch * 8 + slot))
        let scores = (0..<Self.classes).map { _ in Float(random.next() % 512) / 64 }
        return Row(key: "n01/\(slot)", view: view, scores: scores)
      }
    }
  }

  private func options(_ output: String) -> PackOptions {
    var options = PackOptions(output: output)
    options.numClasses = Self.classes
    options.topK = Self.classes
    options.scoreKind = .logit
    options.encoding = .float16
    options.cellOrder = .class
    options.rowOrder = .replay
    options.jobs = 2
    return options
  }

  private var views: WrittenViews {
    var views = WrittenViews(
      details: [
        .box, .flip, .seed, .replay, .cutmixShare, .cutmixBox, .cutmixPartner, .operations,
      ]
    )
    views.document = .object(["batch_size": .integer(4), "teacher_mode": .string("eval")])
    views.size = .init(height: 8, width: 8)
    views.boxType = .float16
    return views
  }

  private func write(_ rows: [Row], _ options: PackOptions, _ views: WrittenViews) throws {
    let writer = try DatasetWriter(options, views: views)
    for row in rows {
      let name = DatasetWriter.View(key: row.key, number: row.view.number)
      if writer.finishedViews.contains(name) { continue }
      try writer.append(dense: row.scores.span, height: 1, width: 1, key: row.key, view: row.view)
    }
    try writer.finish()
  }

  /// The error of writing the run with a change.
  private func refusal(
    _ change: (inout [Row]) -> Void = { _ in },
    options changedOptions: (inout PackOptions) -> Void = { _ in },
    views changedViews: (inout WrittenViews) -> Void = { _ in }
  ) -> RelabelError? {
    let folder = TemporaryFolder()
    var (rows, options, views) = (run(), self.options(folder.path), self.views)
    change(&rows)
    changedOptions(&options)
    changedViews(&views)
    let error = #expect(throws: RelabelError.self) { try write(rows, options, views) }
    #expect(!Folder.hasFile(folder.file("index.json")))
    return error
  }

  @Test("what was given comes back, by position, by image and by place in the run")
  func comesBack() throws {
    let folder = TemporaryFolder()
    var options = self.options(folder.path)
    options.imagesPerShard = 3
    try write(run(), options, views)
    #expect(Verifier(jobs: 2).verify([folder.path]).findings.allSatisfy { $0.severity != .error })
    let dataset = try ShardedDataset(folder.path)
    #expect(dataset.rowsOfShards == [4, 4, 4])
    #expect(try dataset.header.views?.size == views.size)
    #expect(try dataset.header.views?.boxType == .float16)
    #expect(try dataset.views(at: Array(0..<12)) == run().map(\.view))
    #expect(try dataset.views(at: [11, 0, 5]) == [11, 0, 5].map { run()[$0].view })
    #expect(try dataset.positions(forKey: "n01/2") == [2, 6, 10])
    #expect(try dataset.positions(inBatch: 7, epoch: 1) == [4, 5, 6, 7])
    #expect(try dataset.positions(inBatch: 0, epoch: 1) == [])
    #expect(try dataset.position(ofReplay: .init(epoch: 2, batch: 7, slot: 3)) == 11)
    for place in [(2, 7, 4), (3, 7, 0), (-1, 7, 0), (2, 7, Int.max), (Int.min, 7, Int.min)] {
      let place = LabelView.Place(epoch: place.0, batch: place.1, slot: place.2)
      #expect(try dataset.position(ofReplay: place) == nil)
    }
    #expect(throws: RelabelError.self) { try dataset.views(at: [0, 12]) }
    for position in 0..<12 {
      #expect(try dataset.map(at: position).score == run()[position].scores)
      #expect(try dataset.imageIndex(at: position) == Int64(position % 4))
    }
  }

  @Test("batches are found where rows lie by image and slots have gaps")
  func foundInAnyOrder() throws {
    let folder = TemporaryFolder()
    var rows = run()
    for row in rows.indices {
      rows[row].view.replay = .init(epoch: 0, batch: row % 3, slot: 100 - row * 5)
      rows[row].view.cutmixPartner = nil
    }
    rows.sort { ($0.key, $0.view.number) < ($1.key, $1.view.number) }
    var options = self.options(folder.path)
    options.rowOrder = .image
    try write(rows, options, views)
    let shard = try ShardReader(folder.file("labels-00000.h5"))
    for batch in 0..<3 {
      let expected = rows.indices.filter { rows[$0].view.replay?.batch == batch }
        .sorted { rows[$0].view.replay?.slot ?? 0 < rows[$1].view.replay?.slot ?? 0 }
      #expect(try shard.positions(inBatch: batch, epoch: 0) == expected)
      for position in expected {
        let place = try #require(rows[position].view.replay)
        #expect(try shard.position(ofReplay: place) == position)
      }
    }
  }

  @Test("a run that stopped is resumed to the same bytes, and its views may not come again")
  func resumed() throws {
    let (a, b) = (TemporaryFolder(), TemporaryFolder())
    var options = self.options(a.path)
    options.imagesPerShard = 3
    try write(run(), options, views)
    options.output = b.path
    do {
      let writer = try DatasetWriter(options, views: views)
      for row in run()[..<9] {
        try writer.append(dense: row.scores.span, height: 1, width: 1, key: row.key, view: row.view)
      }
      #expect(throws: RelabelError.self) {
        var row = run()[11]
        row.view.replay = .init(epoch: 9, batch: -2, slot: 0)
        try writer.append(dense: row.scores.span, height: 1, width: 1, key: row.key, view: row.view)
        try writer.finish()
      }
    }
    options.resumes = true
    do {
      let writer = try DatasetWriter(options, views: views)
      #expect(!writer.finishedViews.isEmpty && writer.finishedKeys.isEmpty)
      let error = #expect(throws: RelabelError.self) {
        let row = run()[0]
        try writer.append(dense: row.scores.span, height: 1, width: 1, key: row.key, view: row.view)
        try writer.finish()
      }
      #expect(error?.message.contains("has come before") == true && error?.location.key == "n01/0")
    }
    try write(run(), options, views)
    for shard in 0..<3 {
      let name = "labels-0000\(shard).h5"
      #expect(try Digest.of(file: a.file(name)).hex == Digest.of(file: b.file(name)).hex)
    }
  }

  @Test("what a view may not say is refused with its key, and nothing looks finished")
  func refused() {
    let changes: [(String, (inout [Row]) -> Void)] = [
      ("has come before", { $0[5].view = $0[1].view }),
      ("never written", { $0[5].view.seed = -1 }),
      ("needs a height", { $0[5].view.box = .init(top: 0, left: 0, height: 0, width: 1) }),
      ("outside 0 … 1", { $0[5].view.cutmixShare = 1.5 }),
      (
        "not within the view",
        { $0[5].view.cutmixBox = .init(top: 0, left: 0, bottom: 9, right: 8) }
      ),
      ("epoch, batch and slot", { $0[5].view.replay = .init(epoch: 1, batch: -1, slot: 0) }),
      ("number of the view is -2", { $0[5].view.number = -2 }),
      ("JSON object", { $0[5].view.operations = "[1]" }),
      ("no value for it", { $0[5].view.seed = nil }),
      ("does not store it", { $0[5].view.mixupShare = 0.5 }),
      ("not of float16", { $0[5].view.box = .init(top: 0.1, left: 0, height: 1, width: 1) }),
      ("operationsBytes", { $0[5].view.operations = String(repeating: " ", count: 513) }),
      ("more than 32 bits", { $0[5].view.number = 1 << 40 }),
    ]
    for (message, change) in changes {
      let error = refusal(change)
      #expect(error?.message.contains(message) == true, "\(message): \(String(describing: error))")
      #expect(error?.location.key == "n01/1", "\(message)")
    }
  }

  @Test("what views say of each other is refused, within a shard and across shards")
  func refusedTogether() {
    let small: (inout PackOptions) -> Void = { $0.imagesPerShard = 4 }
    #expect(refusal({ $0[5].view.replay = $0[4].view.replay })?.message.contains("V028") == true)
    #expect(refusal({ $0[0].view.cutmixShare = 0.5 })?.message.contains("V029") == true)
    #expect(
      refusal({ $0[0].view.cutmixPartner = .init(imageIndex: 1, slot: 9) })?.message.contains(
        "V029"
      ) == true
    )
    let swapped = refusal { rows in
      for row in rows.indices { rows[row].view.cutmixPartner = nil }
      rows.swapAt(0, 1)
    }
    #expect(swapped?.message.contains("V031") == true)
    let parted = refusal(
      { rows in
        for row in rows.indices {
          rows[row].view.replay = .init(epoch: 0, batch: row % 3, slot: row)
          rows[row].view.cutmixPartner = nil
        }
      },
      options: {
        $0.imagesPerShard = 4
        $0.rowOrder = .source
      }
    )
    #expect(
      parted?.message.contains("began in an earlier shard") == true && parted?.location.key != nil
    )
    let stranger = refusal({ $0[9].view.cutmixPartner = .init(imageIndex: 17) }, options: small)
    #expect(stranger?.message.contains("image 17") == true && stranger?.location.key == "n01/1")
  }

  @Test("options that contradict themselves are refused before anything is written")
  func contradictions() {
    let changes: [(String, (inout PackOptions, inout WrittenViews) -> Void)] = [
      ("'rowOrder' is .replay", { $1.details.remove(.replay) }),
      ("'size' of the views is missing", { $1.size = nil }),
      ("is not a height", { $1.size = .init(height: 0, width: 1) }),
      ("'.imageSize'", { $1.boxType = .pixels }),
      ("'operationsBytes' is 0", { $1.operationsBytes = 0 }),
      ("not a positive number", { $1.temperature = .nan }),
      ("'teacher_mode'", { $1.document = .object(["teacher_mode": .string("on")]) }),
      ("not an object", { $1.document = .array([]) }),
      ("takes views as they come", { options, _ in options.rowOrder = .shuffled(seed: 1) }),
    ]
    for (message, change) in changes {
      let folder = TemporaryFolder()
      var (options, views) = (self.options(folder.path), self.views)
      change(&options, &views)
      let error = #expect(throws: RelabelError.self) { try DatasetWriter(options, views: views) }
      #expect(error?.message.contains(message) == true, "\(String(describing: error))")
      #expect(error?.code == .usage)
    }
  }

  @Test("a writer of images takes no views, and one of views no images")
  func notMixed() throws {
    let folder = TemporaryFolder()
    let row = run()[0]
    let ofViews = try DatasetWriter(options(folder.path), views: views)
    #expect(throws: RelabelError.self) {
      try ofViews.append(dense: row.scores.span, height: 1, width: 1, key: row.key)
    }
    var options = self.options(TemporaryFolder().path)
    #expect(throws: RelabelError.self) { try DatasetWriter(options) }
    options.rowOrder = nil
    let ofImages = try DatasetWriter(options)
    #expect(throws: RelabelError.self) {
      try ofImages.append(dense: row.scores.span, height: 1, width: 1, key: row.key, view: row.view)
    }
    options.cellOrder = .source
    #expect(throws: RelabelError.self) { try DatasetWriter(options) }
  }

  @Test("the least that a view has, in the order of its source")
  func least() throws {
    let folder = TemporaryFolder()
    var options = PackOptions(output: folder.path)
    options.numClasses = 3
    options.scoreKind = .probability
    options.encoding = .float32
    options.cellOrder = .source
    var views = WrittenViews()
    views.temperature = 20
    let writer = try DatasetWriter(options, views: views)
    let map = LabelMap(
      shape: MapShape(height: 1, width: 1, topK: 2),
      classIndex: [2, 0],
      score: [0.25, 0.5]
    )
    for number in 0..<3 { try writer.append(map, key: "a/b", view: LabelView(number: number)) }
    try writer.finish()
    let dataset = try ShardedDataset(folder.path)
    #expect(try dataset.header.temperature == 20)
    #expect(try dataset.map(at: 1).classIndex == [2, 0])
    #expect(try dataset.view(at: 2) == LabelView(number: 2))
    #expect(try dataset.positions(inBatch: 0, epoch: 0) == [])
  }
}
