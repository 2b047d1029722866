import Relabel
import RelabelWriting
import TestSupport
import Testing

@Suite("Datasets of shards")
struct ShardedDatasetTests {
  private let folder = TemporaryFolder()
  private let shape = MapShape(height: 3, width: 4, topK: 2)
  private var images: [LabelledImage] { Sample.images(7, shape) }

  /// Writes seven images in shards of three, three and one.
  private func write(
    changing change: (inout DatasetIndex) -> Void = { _ in }
  ) throws {
    let header = try Sample.header(.float32, shape: shape)
    let codec = MapCodec(header)
    var shards: [DatasetIndex.Shard] = []
    for first in stride(from: 0, to: images.count, by: 3) {
      let name = "labels-0000\(first / 3).h5"
      var writer = try ShardWriter(folder.file(name), header: header)
      let rows = images[first..<min(first + 3, images.count)]
      try writer.append(rows.map { try codec.encode($0) }, jobs: 1)
      let summary = try writer.finish()
      let file = try Digest.of(file: folder.file(name))
      shards.append(
        DatasetIndex.Shard(
          path: name,
          bytes: file.bytes,
          sha256: file.hex,
          metadataSHA256: header.metadata.sha256,
          rows: summary.rows,
          scoreRange: summary.scoreRange,
          largestError: summary.largestError
        )
      )
    }
    var index = DatasetIndex(
      name: "labels",
      sources: 7,
      buildID: header.buildID,
      numClasses: 10,
      scoreKind: .logit,
      options: [:],
      annotator: nil,
      classesSHA256: nil,
      shards: shards,
      leftOut: [],
      writer: header.writer
    )
    change(&index)
    try PublishedFile.write(index.encoded(), to: folder.file(DatasetIndex.fileName))
  }

  @Test("Positions, keys and image indexes lead to the same maps, folder or index.json given")
  func access() throws {
    try write()
    for path in [folder.path, folder.file("index.json")] {
      let dataset = try ShardedDataset(path)
      #expect(dataset.count == 7)
      for (position, image) in images.enumerated() {
        #expect(try dataset.position(forKey: image.key) == position)
        #expect(try dataset.position(forImageIndex: image.imageIndex) == position)
        #expect(Set(try dataset.map(at: position).classIndex) == Set(image.map.classIndex))
      }
      #expect(try dataset.position(forKey: "none") == nil)
      #expect(throws: RelabelError.self) { try dataset.map(at: 7) }
      #expect(throws: RelabelError.self) { try dataset.map(at: -1) }
    }
  }

  @Test("A folder without index.json is incomplete, and the error says so")
  func incomplete() {
    let error = #expect(throws: RelabelError.self) { try ShardedDataset(folder.path) }
    #expect(error?.rule == .m001)
    #expect(error?.message.contains("incomplete") == true)
  }

  @Test("A shard of another build is refused")
  func otherBuild() throws {
    try write { $0.buildID = String(repeating: "1", count: 64) }
    let error = #expect(throws: RelabelError.self) { try ShardedDataset(folder.path).map(at: 0) }
    #expect(error?.rule == .m006)
    #expect(error?.location.file?.hasSuffix("labels-00000.h5") == true)
  }

  @Test("A shard path that leaves the folder is refused before it is opened")
  func escape() throws {
    try write { index in
      let shard = index.shards[0]
      index.shards[0] = DatasetIndex.Shard(
        path: "../outside.h5",
        bytes: shard.bytes,
        sha256: shard.sha256,
        metadataSHA256: shard.metadataSHA256,
        rows: shard.rows,
        scoreRange: shard.scoreRange,
        largestError: 0
      )
    }
    let error = #expect(throws: RelabelError.self) { try ShardedDataset(folder.path) }
    #expect(error?.code == .unsafeInput)
  }

  @Test("Threads read at once")
  func threads() async throws {
    try write()
    let dataset = try ShardedDataset(folder.path)
    let images = images
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<70 {
        group.addTask {
          let map = try dataset.map(at: number % 7)
          return Set(map.classIndex) == Set(images[number % 7].map.classIndex)
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  /// The example of the README, which a Python test compares with this text.
  @Test("The README's example runs")
  func readme() throws {
    try write()
    func example() throws {
      let dataset = try ShardedDataset("dataset")
      if let position = try dataset.position(forKey: "n01443537/n01443537_00069") {
        let map = try dataset.map(at: position)
        print(map.shape, map.classIndex[0], map.score[0])
        let crop = CropBox(top: 0.1, left: 0.1, height: 0.4, width: 0.4)
        let target = try LabelPooling(dataset.header, profile: .relabel).target(of: map, in: crop)
        print(target.top(1)[0].classIndex, target.rest)
      }
    }
    // There is no such folder here: that it compiles and fails by name is what can be seen.
    let error = #expect(throws: RelabelError.self) { try example() }
    #expect(error?.location.file == "dataset")
  }
}
