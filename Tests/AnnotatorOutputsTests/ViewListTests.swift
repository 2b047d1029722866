import AnnotatorOutputs
import Relabel
import Testing

@Suite("Lists of crops that are not what they say")
struct ViewListTests {
  private struct Shape {
    var coords = [2, 4]
    var flip = [2]
    var scores = [2, 5]
    /// Slots 2 to 4.
    var mix = Op.text("NNN")
    var more: [UInt8] = []
  }

  private static func batch(_ shape: Shape = Shape()) -> ListPickle {
    var list = ListPickle()
    list.floats(shape.coords)
    list.tensor("BoolStorage", shape.flip, [UInt8](repeating: 1, count: shape.flip.reduce(1, *)))
    list.add(shape.mix)
    list.floats(shape.scores)
    list.add(shape.more)
    return list
  }

  /// Opens a run of one batch, or of more.
  private static func open(
    _ files: [String: [UInt8]],
    _ list: [String] = ["a.JPEG", "b.JPEG"],
    dialect: String? = nil,
    hasSize: Bool = true
  ) throws -> [PendingImage] {
    let folder = try TemporaryFolder()
    for (name, bytes) in files { try folder.write(name, bytes) }
    var options = ViewFolders.options(.logit, hasSize: hasSize)
    options.imageList = list
    options.dialect = dialect
    return try AnnotatorOutput.open([folder.path], options: options).arrived
  }

  private func expectRefusal(
    _ code: RelabelError.Code,
    _ message: String,
    _ file: [UInt8],
    location: SourceLocation = #_sourceLocation
  ) {
    expectError(code, message, location: location) {
      _ = try Self.open(["epoch_0/batch_0.tar": file])
    }
  }

  @Test func soundBatch() throws {
    let images = try Self.open(["epoch_0/batch_0.tar": Self.batch().file])
    #expect(images.count == 2 && Set(images.map(\.key)) == ["a", "b"])
    #expect(try images.allSatisfy { try $0.load().score == [Float](repeating: 0.25, count: 5) })
  }

  @Test(
    "calls",
    arguments: [
      ("os", "system"), ("builtins", "eval"), ("numpy", "load"),
      ("torch.storage", "_load_from_bytes"),
      ("joblib.numpy_pickle", "NumpyArrayWrapper"), ("torch._utils", "_rebuild_parameter"),
      ("numpy.core.multiarray", "fromfile"),
    ]
  )
  func calls(_ module: String, _ name: String) {
    var list = ListPickle()
    list.add(Op.global(module, name) + Op.text("(") + Op.string("touch here") + Op.text("tR"))
    expectRefusal(.unsafeInput, "calls", list.file)
  }

  static let objectCodes: [[UInt8]] = [
    Op.text("(ios\nsystem\n"), Op.text("(o"), Op.text(")") + [0x81], [0x92], [0x82, 1],
    [0x83, 1, 0],
    [0x84, 1, 0, 0, 0],
  ]

  @Test("objects", arguments: objectCodes)
  func objects(_ code: [UInt8]) {
    var list = ListPickle()
    list.add(Op.text("N") + code)
    expectRefusal(.unsafeInput, "was not executed", list.file)
  }

  static let stateCodes: [[UInt8]] = [
    Op.text("N)b"), Op.text("}}b"), Op.global("numpy", "ndarray") + Op.text("}b"),
  ]

  @Test("states", arguments: stateCodes)
  func states(_ code: [UInt8]) {
    var list = ListPickle()
    list.add(code)
    expectRefusal(.unsafeInput, "a state of its own; it was not executed", list.file)
  }

  @Test func raggedLists() {
    expectRefusal(
      .invalidInput,
      "its coords, is [2, 3] instead",
      Self.batch(Shape(coords: [2, 3])).file
    )
    expectRefusal(
      .invalidInput,
      "its flip, is [3] instead of [2]",
      Self.batch(Shape(flip: [3])).file
    )
    expectRefusal(.invalidInput, "its scores, is [3, 5]", Self.batch(Shape(scores: [3, 5])).file)
    expectRefusal(.invalidInput, "its scores, is [10]", Self.batch(Shape(scores: [10])).file)
    expectRefusal(.invalidInput, "no scores", Self.batch(Shape(scores: [2, 0])).file)
    expectRefusal(
      .invalidInput,
      "no views",
      Self.batch(Shape(coords: [0, 4], flip: [0], scores: [0, 5])).file
    )
  }

  @Test func wrongSlots() {
    expectRefusal(.invalidInput, "has 4 slots", Self.batch(Shape(mix: Op.text("N"))).file)
    expectRefusal(
      .invalidInput,
      "9 slots",
      Self.batch(Shape(more: Op.text("NNN"))).file
    )
    expectRefusal(.invalidInput, "is no tensor", Self.batch(Shape(mix: Op.text("]NN"))).file)
    expectRefusal(
      .invalidInput,
      "only some are there",
      Self.batch(Shape(mix: Op.text("N") + [0x47, 0x3F, 0xE0, 0, 0, 0, 0, 0, 0] + Op.text("N")))
        .file
    )
    var dictionary = ListPickle()
    dictionary.add(Op.text("}"))
    expectRefusal(.invalidInput, "1 slots", dictionary.file)
    expectError(.invalidInput, "has 6 slots; lists of the dialect 'edc' have 8") {
      _ = try Self.open(["epoch_0/batch_0.tar": Self.batch().file], dialect: "edc")
    }
  }

  /// The slots of a mix: partners, lambda and box.
  private static func mixed(_ partners: [Int64], _ lambda: Double, _ box: [Int64]) -> [UInt8] {
    var list = ListPickle()
    list.floats([2, 4])
    list.tensor("BoolStorage", [2], [0, 1])
    let bytes = partners.flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    list.tensor("LongStorage", [partners.count], bytes)
    let bits = (0..<8).reversed().map { UInt8(truncatingIfNeeded: lambda.bitPattern >> (8 * $0)) }
    list.add([0x47] + bits + Op.text("](") + box.flatMap { ListPickle.scalar($0) } + Op.text("e"))
    list.floats([2, 5])
    return list.file
  }

  @Test func wrongMixes() throws {
    let sound = try Self.open(["epoch_0/batch_0.tar": Self.mixed([1, 0], 0.5, [0, 0, 9, 9])])
    #expect(!sound.contains { $0.isFailing })
    expectRefusal(
      .invalidInput,
      "mixed with slot 2 of a batch of 2",
      Self.mixed([1, 2], 0.5, [0, 0, 9, 9])
    )
    expectRefusal(.invalidInput, "mixed with slot -1", Self.mixed([1, -1], 0.5, [0, 0, 9, 9]))
    expectRefusal(.invalidInput, "its mixIndex, is [3]", Self.mixed([1, 0, 0], 0.5, [0, 0, 9, 9]))
    expectRefusal(.invalidInput, "outside 0 … 1", Self.mixed([1, 0], 1.5, [0, 0, 9, 9]))
    expectRefusal(.invalidInput, "outside 0 … 1", Self.mixed([1, 0], .nan, [0, 0, 9, 9]))
    expectRefusal(.invalidInput, "list of 4", Self.mixed([1, 0], 0.5, [0, 0, 9]))
    expectRefusal(.invalidInput, "not top, left", Self.mixed([1, 0], 0.5, [9, 0, 0, 9]))
    expectRefusal(.invalidInput, "a side of", Self.mixed([1, 0], 0.5, [0, 0, 1 << 40, 9]))
    expectError(.usage, "--view-size") {
      let file = Self.mixed([1, 0], 0.5, [0, 0, 9, 9])
      _ = try Self.open(["epoch_0/batch_0.tar": file], hasSize: false)
    }
  }

  @Test func sizesPastTheStorage() {
    func list(_ change: (inout ListPickle) -> Void) -> [UInt8] {
      var list = ListPickle()
      change(&list)
      list.tensor("BoolStorage", [2], [1, 1])
      list.add(Op.text("NNN"))
      list.floats([2, 5])
      return list.file
    }
    expectRefusal(
      .invalidInput,
      "reaches element 7 of a storage of 4",
      list { $0.tensor("FloatStorage", [2, 4], LegacyFile.storage([1, 2, 3, 4]), count: 4) }
    )
    expectRefusal(
      .invalidInput,
      "has 16 bytes, fewer than its 8 elements need",
      list { $0.tensor("FloatStorage", [2, 4], LegacyFile.storage([1, 2, 3, 4])) }
    )
    expectRefusal(
      .unsafeInput,
      "more than the 64 MiB",
      list {
        $0.tensor("FloatStorage", [1 << 40, 4], [0, 0, 0, 0], count: 1, strides: [0, 0])
      }
    )
    expectRefusal(
      .invalidInput,
      "negative",
      list {
        $0.tensor("FloatStorage", [2, 4], LegacyFile.storage([1, 2]), count: 2, strides: [-1, 0])
      }
    )
  }

  @Test func missingStorage() {
    var zip = ZipFile()
    zip.add("batch/data.pkl", Self.batch().pickle)
    expectRefusal(.invalidInput, "lacks the storage '0'", zip.bytes)
  }

  @Test func strangeContainers() {
    expectRefusal(.invalidInput, "not a file of torch.save, pickle or joblib", Array("hello".utf8))
    expectRefusal(.invalidInput, "not a file of torch.save, pickle or joblib", [])
    expectRefusal(.invalidInput, "damaged", Array(Self.batch().file.prefix(200)))
    expectRefusal(.invalidInput, "torch before 1.6", LegacyFile().bytes)
    var zip = ZipFile()
    zip.add("other/version", [51])
    zip.add("other/data.pkl", Self.batch().pickle)
    expectRefusal(.invalidInput, "does not begin with data.pkl", zip.bytes)
    var big = ZipFile()
    big.add("batch/data.pkl", Self.batch().pickle)
    big.add("batch/byteorder", Array("big".utf8))
    expectRefusal(.invalidInput, "not little-endian", big.bytes)
  }

  @Test func bombs() {
    var text = [UInt8](repeating: 0, count: 70 << 20)
    text[0] = 0x80
    let bomb = Deflate.compressed(text, level: 1)
    expectRefusal(.invalidInput, "holds more than 32 MiB", bomb)
    // Values that double with each line would take all memory.
    var list = ListPickle()
    let code =
      Op.text("](") + [UInt8](repeating: UInt8(ascii: "N"), count: 1000) + Op.text("eq\u{0}t")
    list.add(Op.text("(") + code + Op.text("q\u{1}"))
    for place in UInt8(1)..<12 {
      let eight = [UInt8](repeating: 0, count: 8).flatMap { _ in [UInt8(ascii: "h"), place] }
      list.add(Op.text("(") + eight + Op.text("tq") + [place + 1])
    }
    expectRefusal(.unsafeInput, "MiB of memory", list.file)
    var deep = ListPickle()
    deep.add(
      [UInt8](repeating: UInt8(ascii: "]"), count: 40)
        + [UInt8](repeating: UInt8(ascii: "a"), count: 39)
    )
    expectRefusal(.unsafeInput, "nests deeper", deep.file)
    var wide = ListPickle()
    wide.add([UInt8](repeating: UInt8(ascii: "N"), count: 70_000))
    expectRefusal(.unsafeInput, "stacks more values", wide.file)
  }

  @Test func listsThatGrowAfterwards() {
    var list = ListPickle()
    list.add(Op.text("]q\u{0}h\u{0}a"))
    expectRefusal(.invalidInput, "used twice", list.file)
    var shared = ListPickle()
    shared.add(Op.text("]q\u{0}") + [0x85] + Op.text("h\u{0}(Ne"))
    expectRefusal(.invalidInput, "used twice", shared.file)
  }

  @Test func orderOfTheSampler() throws {
    expectError(.usage, "--images") {
      let folder = try TemporaryFolder()
      try folder.write("epoch_0/batch_0.tar", Self.batch().file)
      var options = ViewFolders.options(.logit)
      options.imageList = nil
      _ = try AnnotatorOutput.open([folder.path], options: options)
    }
    expectRefusalOfFirst("the image list 3 pictures") {
      try Self.open(
        [
          "epoch_0/batch_0.tar": Self.batch(Shape(coords: [1, 4], flip: [1], scores: [1, 5])).file
        ],
        ["a.JPEG", "b.JPEG", "c.JPEG"]
      ).filter(\.isFailing)
    }
    expectRefusalOfFirst("the image list 1 pictures") {
      try Self.open(["epoch_0/batch_0.tar": Self.batch().file], ["a.JPEG"])
    }
  }

  @Test func runsThatAreMixedUp() {
    expectRefusalOfFirst("give each run by itself") {
      try Self.open(
        [
          "epoch_0/batch_0.tar": Self.batch().file,
          "epoch_0/batch_1.tar": Self.batch(Shape(scores: [2, 6])).file,
        ],
        ["a.JPEG", "b.JPEG", "c.JPEG", "d.JPEG"]
      ).filter(\.isFailing)
    }
    expectRefusalOfFirst("batch 1 is missing") {
      try Self.open(
        ["epoch_0/batch_0.tar": Self.batch().file, "epoch_0/batch_2.tar": Self.batch().file],
        ["a", "b", "c", "d", "e", "f"]
      ).filter(\.isFailing)
    }
  }

  private func expectRefusalOfFirst(
    _ message: String,
    location: SourceLocation = #_sourceLocation,
    _ images: () throws -> [PendingImage]
  ) {
    expectError(.invalidInput, message, location: location) {
      let images = try images()
      _ = try #require(images.first).load()
    }
  }
}
