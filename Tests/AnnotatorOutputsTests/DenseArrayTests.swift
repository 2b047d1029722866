import AnnotatorOutputs
import Relabel
import Testing

@Suite("Dense .npy arrays")
struct DenseArrayTests {
  @Test("every type, order and batch", arguments: Fixtures.names("npy/"))
  func reads(_ name: String) throws {
    let output = try AnnotatorOutput.open([Fixtures.path(name)], options: options())
    let images = try output.listed
    let expected = try Fixtures.maps(name)
    #expect(try images.map { try $0.load() } == expected)
    #expect(images.map(\.imageIndex) == expected.indices.map { Int64($0) })
    #expect(
      output.traits
        == .denseFixtures
    )
    let key = String(name.dropFirst(4).dropLast(4))
    if name.contains("batch") {
      #expect(images.map(\.key) == expected.indices.map { "\(key)#00000\($0)" })
      #expect(images.last?.source == "\(Fixtures.path(name))[\(expected.count - 1)]")
    } else {
      #expect(images.map(\.key) == [key])
      #expect(images.map(\.source) == [Fixtures.path(name)])
    }
  }

  private func load(_ bytes: [UInt8], _ options: InputOptions = options()) throws -> LabelMap {
    let folder = try TemporaryFolder()
    return try onlyImage(folder.write("map.npy", bytes), options).load()
  }

  @Test func topKIsFiveWhenNobodySays() throws {
    let map = try load(ArrayFile.dense([7, 1, 2]), options(topK: nil))
    #expect(map.shape.topK == 5)
    #expect(map.classIndex == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
  }

  @Test func fewerClassesThanTopK() {
    expectError(.invalidInput, "scores 4 classes, fewer than the top-k of 5", "at most 4") {
      _ = try load(ArrayFile.dense([4, 1, 2]), options(topK: nil))
    }
  }

  @Test("values that are no score", arguments: [Float.nan, .infinity, -.infinity])
  func notFinite(_ value: Float) {
    var values = (0..<24).map { Float($0) }
    values[15] = value  // class 2, y 1, x 0 of [3, 2, 4]; class 2 is also the best elsewhere
    (values[16], values[8]) = (0, 0)
    let place = 2 * 8 + 1 * 4 + 3
    values[place] = value
    values[15] = 15
    expectError(.invalidInput, "cell (1, 3)", "the score of class 2 is") {
      _ = try load(ArrayFile.npy([3, 2, 4], ArrayFile.floats(values)), options(numClasses: 3))
    }
  }

  @Test func tooLargeFloat64() {
    let value = (1e300).bitPattern
    let data = (0..<3).flatMap { _ in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    expectError(.invalidInput, "the score of class 0 is infinite or too large for float32") {
      _ = try load(ArrayFile.npy([3, 1, 1], data, type: "<f8"))
    }
  }

  @Test func classCountHasToAgree() throws {
    expectError(.invalidInput, "scores 3 classes, not the 1000 given") {
      _ = try load(ArrayFile.dense([3, 2, 2]), options(numClasses: 1000))
    }
    let folder = try TemporaryFolder()
    try folder.write("a.npy", ArrayFile.dense([3, 2, 2]))
    try folder.write("b.npy", ArrayFile.dense([4, 2, 2]))
    let output = try AnnotatorOutput.open([folder.path], options: options())
    #expect(output.traits.numClasses == 3)
    #expect(try output.listed[0].load().shape.topK == 2)
    expectError(.invalidInput, "scores 4 classes, the first map of the input 3") {
      _ = try output.listed[1].load()
    }
  }

  @Test func labelMapSavedAsArray() throws {
    let bytes = ArrayFile.dense([2, 5, 3, 4])
    for classes in [nil, 1000] {
      expectError(.invalidInput, "[2, 5, 3, 4] looks like a label map", "torch.save") {
        _ = try load(bytes, options(numClasses: classes))
      }
    }
    let folder = try TemporaryFolder()
    let path = try folder.write("two.npy", bytes)
    #expect(try AnnotatorOutput.open([path], options: options(numClasses: 5)).listed.count == 2)
  }

  @Test(
    "shapes that are no dense map",
    arguments: [
      ([24], "[C, H, W]"), ([4, 6], "[C, H, W]"), ([1, 1, 4, 3, 2], "[C, H, W]"),
      ([3, 0, 2], "grid"),
      ([3, 1, 5000], "grid"), ([0, 3, 2, 2], "no map"),
    ]
  )
  func shapes(_ shape: [Int], _ message: String) {
    expectError(.invalidInput, message) { _ = try load(ArrayFile.dense(shape)) }
  }

  static let sizes: [([Int], Int, RelabelError.Code, String)] = [
    ([3, 2, 4], 95, .invalidInput, "truncated"),
    ([3, 2, 4], 97, .invalidInput, "1 trailing bytes"),
    ([1 << 40, 1 << 12, 1 << 12], 96, .invalidInput, "overflows"),
    ([1 << 30, 1 << 5, 1 << 5], 96, .invalidInput, "truncated"),
  ]

  @Test("sizes that do not agree with the file", arguments: sizes)
  func sizesAgree(_ shape: [Int], _ bytes: Int, _ code: RelabelError.Code, _ message: String) {
    expectError(code, message) {
      _ = try load(ArrayFile.npy(shape, [UInt8](repeating: 0, count: bytes)))
    }
  }

  @Test(
    "Layouts that can't be meant are asked about",
    arguments: [
      ([7, 7, 1000], nil, "7 classes on a grid of 7×1000"),
      ([2, 7, 9, 1000], nil, "--num-classes 7"),
      ([7, 1000, 7], nil, "a grid of 1000×7"),
      ([7, 7, 1000], 1000, "but there are 1000 classes"),
    ] as [([Int], Int?, String)]
  )
  func oddLayouts(_ shape: [Int], _ numClasses: Int?, _ text: String) {
    expectError(.invalidInput, text, "numpy.moveaxis(a, -1, -3)") {
      _ = try load(ArrayFile.dense(shape), options(topK: 5, numClasses: numClasses))
    }
  }

  @Test(
    "Layouts that are meant",
    arguments: [([7, 7, 1000], 7), ([10, 15, 15], nil), ([20, 7, 9], nil)] as [([Int], Int?)]
  )
  func goodLayouts(_ shape: [Int], _ numClasses: Int?) throws {
    let map = try load(ArrayFile.dense(shape), options(topK: 5, numClasses: numClasses))
    #expect([map.shape.height, map.shape.width] == Array(shape[1...]))
  }

  @Test func fortranBatchIsRefused() {
    expectError(.invalidInput, "Fortran order", "ascontiguousarray") {
      let data = [UInt8](repeating: 0, count: 3 * 96)
      _ = try load(ArrayFile.npy([3, 3, 2, 4], data, fortran: true), options(numClasses: 3))
    }
  }

  static let refusedTypes: [(String, RelabelError.Code, String)] = [
    (">f4", .invalidInput, "big-endian ('>f4')"), ("|O", .unsafeInput, "were not executed"),
    ("=f4", .invalidInput, "'=f4'"), ("f4", .invalidInput, "'f4'"),
    ("<f16", .invalidInput, "'<f16'"),
    ("<i4", .invalidInput, "float16, float32 or float64"), ("<c8", .invalidInput, "'<c8'"),
    ("|f4", .invalidInput, "'|f4'"), ("", .invalidInput, "''"),
  ]

  @Test("types that are not read", arguments: refusedTypes)
  func types(_ type: String, _ code: RelabelError.Code, _ message: String) {
    expectError(code, message) {
      _ = try load(ArrayFile.npy([3, 2, 4], [UInt8](repeating: 0, count: 96), type: type))
    }
  }

  @Test(
    "headers that are not NumPy's",
    arguments: [
      "", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), 'more': 1}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1)}",
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1, 1)}",
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1, 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1, 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1, 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1)} or exit()",
      "{'descr': '<f4' 'fortran_order': False, 'shape': (1, 1, 1)}",
    ]
  )
  func headers(_ header: String) {
    expectError(.invalidInput, "header") {
      _ = try load(ArrayFile.npy(header: header, [0, 0, 0, 0]))
    }
  }

  @Test func prefix() {
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 1), }"
    let data = [UInt8](repeating: 0, count: 8)
    expectError(.invalidInput, "version") {
      _ = try load(ArrayFile.npy(header: good, version: [4, 0], data))
    }
    expectError(.invalidInput, "not a .npy array") { _ = try load([1, 2, 3, 4, 5, 6, 7, 8]) }
    expectError(.invalidInput, "truncated") {
      _ = try load(Array(ArrayFile.npy(header: good, data).prefix(40)))
    }
    expectError(.invalidInput, "declares") {
      _ = try load([0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0x7F])
    }
  }

  @Test func everyTruncation() throws {
    let bytes = try Fixtures.bytes("npy/f4-C.npy")
    for length in bytes.indices {
      expectError(.invalidInput) { _ = try load(Array(bytes[..<length])) }
    }
  }
}
