import AnnotatorOutputs
import Relabel
import Testing

@Suite("Tensors of the ReLabel dialect")
struct ReLabelTensorTests {
  @Test("every container, type, stride and protocol", arguments: Fixtures.names("pt/"))
  func reads(_ name: String) throws {
    let output = try AnnotatorOutput.open(
      [Fixtures.path(name)],
      options: options(topK: nil, numClasses: 100)
    )
    #expect(
      output.traits
        == .reLabelFiles
    )
    let image = try #require(try output.listed.first)
    #expect(try [image.load()] == Fixtures.maps(name))
    #expect(image.key == name.dropFirst(3).dropLast(3))
    #expect(image.imageIndex == 0)
    #expect(image.source == Fixtures.path(name))
    let size = try Fixtures.bytes(name).count
    #expect(image.byteCount == size)
    #expect(output.inputBytes == size)
  }

  @Test(
    "Ids in a type that can't hold them are refused",
    arguments: [
      ("bfloat16", nil, 256), ("bfloat16", 257, 256), ("float16", 2049, 2048),
      ("float32", 1 << 24 + 1, 1 << 24),
    ] as [(String, Int?, Int)]
  )
  func roundedIDs(_ type: String, _ numClasses: Int?, _ held: Int) throws {
    let path = Fixtures.path("pt/zip-\(type).pt")
    let options = options(topK: nil, numClasses: numClasses)
    let images = try AnnotatorOutput.open([path], options: options).listed
    expectError(.invalidInput, "class ids are stored as \(type)", "those of \(held) classes") {
      _ = try images[0].load()
    }
    let fitting = fitting(held)
    #expect(try AnnotatorOutput.open([path], options: fitting).listed[0].load().shape.topK > 0)
  }

  private func fitting(_ numClasses: Int) -> InputOptions {
    options(topK: nil, numClasses: numClasses)
  }

  @Test func userMayOverruleTheScoreKind() throws {
    let path = Fixtures.path("pt/zip-float32.pt")
    let output = try AnnotatorOutput.open([path], options: options(scoreKind: .probability))
    #expect(output.traits.scoreKind == .probability)
  }

  @Test func entriesAreInTheOrderOfCells() throws {
    let map = try load(LegacyFile())
    #expect(map.shape == MapShape(height: 3, width: 4, topK: 2))
    // Ids count up in the order [rank, y, x].
    #expect(map.classIndex == (0..<12).flatMap { [UInt32($0), UInt32($0) + 12] })
  }

  @Test func smallerTopKKeepsTheBest() throws {
    var file = LegacyFile()
    var values = LegacyFile.values
    (values[0], values[12]) = (5, 7)  // the second rank is better
    (values[1], values[13]) = (5, 5)  // a tie: the lower id, of rank 1
    (values[25], values[37]) = (9, 3)
    (values[2], values[14]) = (5, .nan)  // left for the check that refuses it
    file.storage = LegacyFile.storage(values)
    let map = try load(file, options(topK: 1))
    #expect(map.shape.topK == 1)
    #expect(map.classIndex == [12, 3, 14] + (3..<12).map { UInt32($0) })
    #expect(map.score[0] == 7 && map.score[1] == 5 && map.score[2].isNaN)
  }

  @Test func largerTopKIsRefused() {
    expectError(.usage, "keeps 2 classes", "top-k of 3") {
      _ = try load(LegacyFile(), options(topK: 3))
    }
  }

  @Test("class ids", arguments: [-1, 0.5, 4_294_967_296, Float.nan, .infinity])
  func idsAreWholeNumbers(_ id: Float) {
    var values = LegacyFile.values
    values[24 + 12 + 6] = id  // rank 1, y 1, x 2
    var file = LegacyFile()
    file.storage = LegacyFile.storage(values)
    expectError(.invalidInput, "cell (1, 2) rank 1", "\(id) is not a class id") {
      _ = try load(file)
    }
  }

  @Test func tooLargeFloat64IsRefused() {
    var file = LegacyFile()
    file.storageType = "DoubleStorage"
    var values = LegacyFile.values.map(Double.init)
    values[5] = 1e300
    file.storage = values.flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt64($0))) }
    }
    expectError(.invalidInput, "too large for float32", "cell (1, 1) rank 0") {
      _ = try load(file)
    }
  }

  @Test(
    "shapes that are no map",
    arguments: [
      [2, 2, 12], [3, 2, 3, 2], [2, 0, 3, 4], [2, 2, 0, 4], [2, 2, 3, 5000], [2, 70_000, 1, 1],
      [2, 65_535, 64, 4],
    ]
  )
  func shapes(_ sizes: [Int]) {
    var file = LegacyFile()
    file.sizes = sizes
    // Without steps every shape lies within the storage.
    file.strides = sizes.map { _ in 0 }
    expectError(.invalidInput) { _ = try load(file) }
  }
}

/// Loads a file of the legacy container.
func load(_ file: LegacyFile, _ options: InputOptions = options(topK: nil)) throws -> LabelMap {
  try load(file.bytes, options)
}

/// Loads a `.pt` file.
func load(_ bytes: [UInt8], _ options: InputOptions = options(topK: nil)) throws -> LabelMap {
  let folder = try TemporaryFolder()
  return try onlyImage(folder.write("map.pt", bytes), options).load()
}
