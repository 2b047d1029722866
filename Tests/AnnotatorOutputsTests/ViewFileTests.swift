import AnnotatorOutputs
import Relabel
import Testing

@Suite("Files of crops that are not what they say")
struct ViewFileTests {
  private static func open(
    _ files: [String: [UInt8]],
    _ options: InputOptions = ViewFolders.options(.probability, classes: 5)
  ) throws -> AnnotatorOutput {
    let folder = try TemporaryFolder()
    for (name, bytes) in files { try folder.write(name, bytes) }
    let output = try AnnotatorOutput.open([folder.path], options: options)
    // The files go away with the folder.
    _ = try Self.loaded(output)
    return try AnnotatorOutput.open([folder.path], options: options)
  }

  private static func loaded(_ output: AnnotatorOutput) throws -> [LabelMap] {
    try output.arrived.map { try $0.load() }
  }

  private func expectRefusal(
    _ code: RelabelError.Code,
    _ message: String,
    _ files: [String: [UInt8]],
    _ options: InputOptions = ViewFolders.options(.probability, classes: 5),
    location: SourceLocation = #_sourceLocation
  ) {
    expectError(code, message, location: location) { _ = try Self.open(files, options) }
  }

  // MARK: FKD

  private static func fkd(
    coords: [Int] = [2, 4],
    flip: [Int] = [2],
    labels: [Int] = [2, 2, 1],
    _ numbers: [Float] = [1, 0.5, 2, 0.25],
    type: String = "f4"
  ) -> [UInt8] {
    var list = ListPickle()
    let sides = [Float](repeating: 0.5, count: coords.reduce(1, *))
    list.array("f4", coords, LegacyFile.storage(sides))
    list.array("b1", flip, [UInt8](repeating: 0, count: flip.reduce(1, *)))
    list.array(type, labels, LegacyFile.storage(numbers))
    return list.file
  }

  @Test func fkdFiles() throws {
    let path = "train/a/x.tar"
    var options = ViewFolders.options(.probability, classes: 5)
    options.imageList = ["a/x.b.JPEG"]
    let folder = try TemporaryFolder()
    try folder.write(path, Self.fkd())
    let images = try AnnotatorOutput.open([folder.path], options: options).arrived
    #expect(images.map(\.key) == ["a/x.b", "a/x.b"] && images.map(\.imageIndex) == [0, 0])
    options.imageList = ["a/x.JPEG", "a/x.b.JPEG"]
    expectRefusal(.invalidInput, "share this file", [path: Self.fkd()], options)
    options.imageList = ["b/x.JPEG"]
    expectRefusal(.invalidInput, "no line for the key 'a/x'", [path: Self.fkd()], options)
    expectRefusal(.invalidInput, "coords [2, 3]", [path: Self.fkd(coords: [2, 3])])
    expectRefusal(.invalidInput, "flips [3]", [path: Self.fkd(flip: [3])])
    expectRefusal(.invalidInput, "labels [2, 1, 2]", [path: Self.fkd(labels: [2, 1, 2])])
    expectRefusal(.invalidInput, "labels [4]", [path: Self.fkd(labels: [4])])
    expectRefusal(.invalidInput, "has 16 bytes", [path: Self.fkd(labels: [3, 2, 1])])
    expectRefusal(
      .invalidInput,
      "0 labels for 2 crops",
      [path: Self.fkd(labels: [0, 2, 1], [])]
    )
    expectRefusal(.invalidInput, "'c8', which no label list", [path: Self.fkd(type: "c8")])
    expectRefusal(.invalidInput, "1.5 is not a class id", [path: Self.fkd([1.5, 0.5, 2, 0.25])])
    expectRefusal(
      .invalidInput,
      "lies below 'train/', this one elsewhere",
      [path: Self.fkd(), "val/a/x.tar": Self.fkd()]
    )
    expectRefusal(
      .invalidInput,
      "give each run by itself",
      [path: Self.fkd(), "train/b/z.tar": Self.fkd(labels: [1, 2, 2])],
    )
    options.imageList = nil
    options.numClasses = 1 << 25
    expectRefusal(.invalidInput, "class ids are stored as float32", [path: Self.fkd()], options)
  }

  @Test func rowsFollowTheList() throws {
    let folder = try TemporaryFolder()
    for name in ["a/x", "b/z"] { try folder.write("\(name).tar", Self.fkd()) }
    var options = ViewFolders.options(.probability, classes: 5)
    options.imageList = ["a/x.JPEG", "b/z.JPEG"]
    #expect(
      try AnnotatorOutput.open([folder.path], options: options).traits.views?.rowOrder == .image
    )
    options.imageList = ["b/z.JPEG", "a/x.JPEG"]
    #expect(
      try AnnotatorOutput.open([folder.path], options: options).traits.views?.rowOrder == .source
    )
  }

  // MARK: TinyViT

  private static func tinyvit(_ keys: String, _ records: Int, ids: [UInt16] = [1, 2]) -> [String:
    [UInt8]]
  {
    var values: [UInt8] = []
    for record in 0..<records {
      values += RecordFile.number(Int32(record))
      for id in ids { values += RecordFile.number(id) }
      values += [UInt8](repeating: 0x30, count: 2 * ids.count)
    }
    let folder = "logits_top\(ids.count)_epoch0/rank0-"
    return [folder + "keys.txt": Array(keys.utf8), folder + "values.bin": values]
  }

  @Test func tinyvitFiles() throws {
    #expect(throws: Never.self) { try Self.open(Self.tinyvit("0\n1\n", 2)) }
    #expect(throws: Never.self) { try Self.open(Self.tinyvit("0\n1", 2)) }
    expectRefusal(.invalidInput, "1 keys, and 24 bytes of records", Self.tinyvit("0\n", 2))
    expectRefusal(.invalidInput, "3 keys, and 24 bytes of records", Self.tinyvit("0\n1\n2\n", 2))
    expectRefusal(.usage, "no keys", Self.tinyvit("", 0))
    expectRefusal(.invalidInput, "the image list has 3 lines", Self.tinyvit("7\n", 1))
    expectRefusal(
      .unsafeInput,
      "longer than 4096 bytes",
      Self.tinyvit(String(repeating: "x", count: 5000), 1)
    )
    var two = Self.tinyvit("0\n", 1)
    two.merge(Self.tinyvit("0\n", 1, ids: [1])) { one, _ in one }
    expectRefusal(.usage, "have 1 and 2 classes a view", two)
    var options = ViewFolders.options(.probability, classes: 70_000)
    expectRefusal(.invalidInput, "class ids are stored as int16", Self.tinyvit("0\n", 1), options)
    options = ViewFolders.options(.probability, classes: 5)
    options.imageList = ["a/x.JPEG", "b/x.JPEG", "b/y.JPEG"]
    expectRefusal(.invalidInput, "have the stem 'x'", Self.tinyvit("x\n", 1), options)
    let folder = try TemporaryFolder()
    for (name, bytes) in Self.tinyvit("y\n", 1) { try folder.write(name, bytes) }
    let images = try AnnotatorOutput.open([folder.path], options: options).arrived
    #expect(images.map(\.key) == ["b/y"] && images.map(\.imageIndex) == [2])
  }

  @Test func seedThatStandsForNothing() throws {
    var files = Self.tinyvit("0\n", 1)
    files["logits_top2_epoch0/rank0-values.bin"]?.replaceSubrange(
      0..<4,
      with: [255, 255, 255, 255]
    )
    expectRefusal(.invalidInput, "the seed of the view is −1", files)
  }

  // MARK: ml-dr

  private static func mldr(_ change: (inout [String: [UInt8]]) throws -> Void) throws -> [String:
    [UInt8]]
  {
    var files: [String: [UInt8]] = [:]
    for name in ["config", "1", "2"] {
      files["\(name).pth.tar"] = try Fixtures.bytes("views/mldr/\(name).pth.tar")
    }
    try change(&files)
    return files
  }

  @Test func mldrFiles() throws {
    let options = ViewFolders.options(hasPictures: true)
    #expect(throws: Never.self) { try Self.open(Self.mldr { _ in }, options) }
    expectRefusal(.usage, "--pictures", try Self.mldr { _ in }, ViewFolders.options())
    expectRefusal(
      .usage,
      "hold scores of the kind 'probability'",
      try Self.mldr { _ in },
      ViewFolders.options(.logit, hasPictures: true)
    )
    expectRefusal(
      .invalidInput,
      "named for picture 0 and says that it is of picture 1",
      try Self.mldr { $0["0.pth.tar"] = $0["1.pth.tar"] },
      options
    )
    expectRefusal(
      .invalidInput,
      "not a configuration of ml-dr",
      try Self.mldr { $0["config.pth.tar"] = $0["1.pth.tar"] },
      options
    )
    var named = options
    named.dialect = "ml-dr"
    expectRefusal(
      .usage,
      "there is no 'config.pth.tar'",
      try Self.mldr { $0["config.pth.tar"] = nil },
      named
    )
    let cut = Array(try Fixtures.bytes("views/mldr/2.pth.tar").dropLast(5))
    expectRefusal(.invalidInput, "damaged", try Self.mldr { $0["2.pth.tar"] = cut }, options)
    var small = options
    small.pictureSize = { _ throws(RelabelError) in ViewFacts.Size(height: 10, width: 10) }
    expectRefusal(.invalidInput, "leaves its picture", try Self.mldr { _ in }, small)
  }

  @Test func edcNeedsItsPictures() throws {
    var options = ViewFolders.options(.logit)
    expectError(.usage, "--pictures") {
      _ = try AnnotatorOutput.open([Fixtures.path("views/edc")], options: options)
    }
    options.pictureSize = { _ throws(RelabelError) in ViewFacts.Size(height: 500, width: 333) }
    let images = try AnnotatorOutput.open([Fixtures.path("views/edc")], options: options).arrived
    expectError(.invalidInput, "is not of whole pixels of its picture") {
      _ = try #require(images.first).load()
    }
  }

  // MARK: Index lists

  @Test(
    "index lists",
    arguments: [
      "", "{", "[]", "{}", "{\"0\":[2,0]", "{\"0\":[2,0]}x", "{\"0\":[2,]}", "{\"0\":[-2,0]}",
      "{\"x\":[2,0]}", "{\"0\":[2,0],}", "{\"0\":{}}", "{\"0\":[99999999999,0]}", "{\"00\":[2,0]}",
      "{\"0\":[2,0] \"1\":[]}", "{\"0\":[2.5,0]}", "{\"12345678901\":[0]}",
      "{\"0\":[2,0],\"0\":[2,0]}",
    ]
  )
  func indexLists(_ text: String) throws {
    let batch = try Fixtures.bytes("views/lpld/epoch_0/batch_0.tar")
    let files = [
      "epoch_0/batch_0.tar": batch, "sampler_indices_epoch.json": Array(text.utf8),
    ]
    #expect(throws: RelabelError.self) { try Self.open(files, ViewFolders.options(.logit)) }
  }

  @Test func listsThatDoNotGoWithTheBatches() throws {
    let batch = try Fixtures.bytes("views/lpld/epoch_0/batch_0.tar")
    for text in ["{\"0\":[2,0,1]}", "{\"0\":[2]}", "{\"1\":[2,0]}", "{\"0\":[]}"] {
      let files = [
        "epoch_0/batch_0.tar": batch, "sampler_indices_epoch.json": Array(text.utf8),
      ]
      expectRefusal(.invalidInput, "'", files, ViewFolders.options(.logit))
    }
    let quantised = try Fixtures.bytes("views/lpqld/batch_0.tar")
    let files = [
      "batch_0.tar": quantised,
      "sampler_indices_batch.json": Array("{\"0\":[2,0],\"1\":[1,1]}".utf8),
    ]
    let options = ViewFolders.options(.logit, classes: 50_000, hasSize: true)
    expectRefusal(.invalidInput, "has 2 lists, the last batch is batch 0", files, options)
    var many = options
    many.numClasses = 70_000
    expectRefusal(.invalidInput, "class ids are stored as int16", files, many)
  }

  // MARK: Folders

  @Test func dialects() throws {
    var options = ViewFolders.options(.logit)
    options.dialect = "nonsense"
    expectError(.usage, "--dialect 'nonsense' is not known") {
      _ = try AnnotatorOutput.open([Fixtures.folder], options: options)
    }
    options.dialect = "sre2l"
    expectError(.usage, "is read from one folder") {
      _ = try AnnotatorOutput.open([Fixtures.path("expected.json")], options: options)
    }
    expectError(.usage, "there is no batch of the dialect 'sre2l'") {
      _ = try AnnotatorOutput.open([Fixtures.path("pt")], options: options)
    }
    options.dialect = nil
    options.stripComponents = 1
    expectError(.usage, "labels of crops have keys of their own") {
      _ = try AnnotatorOutput.open([Fixtures.path("views/lpld")], options: options)
    }
  }

  @Test func filesThatAreNotRead() throws {
    let folder = try TemporaryFolder()
    try folder.write("epoch_0/batch_0.tar", Fixtures.bytes("views/lpld/epoch_0/batch_0.tar"))
    try folder.write("sampler_indices_epoch.json", Array("{\"0\":[2,0]}".utf8))
    try folder.write("README.md", [])
    try folder.write("epoch_0/notes.txt", [])
    let output = try AnnotatorOutput.open([folder.path], options: ViewFolders.options(.logit))
    let stream = try output.stream
    while try stream.next() != nil {}
    #expect(
      stream.ignored.map { $0.dropFirst(folder.path.count) } == [
        "/README.md", "/epoch_0/notes.txt",
      ]
    )
    #expect(stream.bytesRead > 0)
  }

  @Test func damagedFilesAreNoCrash() throws {
    let options = ViewFolders.options(classes: 50_000, hasSize: true, hasPictures: true)
    for (name, rest) in [
      ("sre2l/epoch_0/batch_0.tar", ["sre2l/epoch_0/batch_1.tar"]),
      ("lpqld/batch_0.tar", ["lpqld/sampler_indices_batch.json"]),
      ("mldr/1.pth.tar", ["mldr/config.pth.tar"]),
      ("fkd/imagenet/train/a/x.tar", []),
      ("hald/FKD_bs2_slc1_ipc1/sampler_indices_dict.pt", ["hald/FKD_bs2_slc1_ipc1/epoch_0.tar"]),
    ] {
      let folder = try TemporaryFolder()
      for file in rest { try folder.write(file, Fixtures.bytes("views/" + file)) }
      for damaged in flippedCopies(of: try Fixtures.bytes("views/" + name), count: 60) {
        try folder.write(name, damaged)
        do {
          for image in try AnnotatorOutput.open([folder.path], options: options).arrived {
            do { _ = try image.load() } catch { #expect(error.code != .internalFault) }
          }
        } catch let error as RelabelError {
          #expect(error.code != .internalFault, "\(error)")
        }
      }
    }
  }
}
