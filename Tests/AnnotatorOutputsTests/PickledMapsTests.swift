import AnnotatorOutputs
import Relabel
import Testing

/// Pickles of NumPy arrays, written by hand.
private enum ArrayPickle {
  static let end = Op.text(".")

  static func pickle(_ value: [UInt8]) -> [UInt8] { [0x80, 4] + value + end }

  /// `_reconstruct(ndarray, (0,), b'b')`, then the state.
  static func array(
    _ shape: [Int],
    _ data: [UInt8],
    type: String = "f4",
    module: String = "numpy._core.multiarray"
  ) -> [UInt8] {
    let made =
      Op.global(module, "_reconstruct") + Op.global("numpy", "ndarray") + Op.tuple([0])
      + bytes([UInt8(ascii: "b")]) + [0x87] + Op.text("R")
    let descriptor =
      Op.global("numpy", "dtype") + Op.string(type) + [0x89, 0x88, 0x87] + Op.text("R(")
      + Op.int(3) + Op.string("<") + Op.text("NNNJ") + [255, 255, 255, 255] + Op.text("J")
      + [255, 255, 255, 255] + Op.int(0) + Op.text("tb")
    return made + Op.text("(") + Op.int(1) + Op.tuple(shape) + descriptor + [0x89] + bytes(data)
      + Op.text("tb")
  }

  static func bytes(_ data: [UInt8]) -> [UInt8] {
    [UInt8(ascii: "B")]
      + withUnsafeBytes(of: UInt32(data.count).littleEndian, Array.init) + data
  }
}

@Suite("Pickles of kecam")
struct PickledMapsTests {
  /// Class ids and probabilities of one image, [2, 1, 1, 2].
  private let one: [Float] = [7, 3, 0.5, 0.25]

  private func load(_ pickle: [UInt8], _ name: String = "labels.pkl") throws -> [LabelMap] {
    let folder = try TemporaryFolder()
    let path = try folder.write(name, pickle)
    return try AnnotatorOutput.open([path], options: options(topK: nil, numClasses: 10)).listed
      .map { try $0.load() }
  }

  @Test("arrays of all images", arguments: ["numpy.core.multiarray", "numpy._core.multiarray"])
  func stack(_ module: String) throws {
    let values = one + [1, 2, 0.75, 0.125]
    let array = ArrayPickle.array([2, 2, 1, 1, 2], ArrayFile.floats(values), module: module)
    let maps = try load(ArrayPickle.pickle(array))
    #expect(maps.map(\.classIndex) == [[7, 3], [1, 2]])
    #expect(maps.map(\.score) == [[0.5, 0.25], [0.75, 0.125]])
    // Whatever the file is called.
    #expect(try load(ArrayPickle.pickle(array), "labels.bin") == maps)
  }

  @Test func longDataStaysInTheFile() throws {
    let images = 600
    let values = (0..<images).flatMap { [Float($0 % 10), 0.5 / Float($0 + 1)] }
    let array = ArrayPickle.array([images, 2, 1, 1, 1], ArrayFile.floats(values))
    let maps = try load(ArrayPickle.pickle(array))
    #expect(maps.map { $0.classIndex[0] } == (0..<images).map { UInt32($0 % 10) })
    #expect(maps.map { $0.score[0] } == (0..<images).map { 0.5 / Float($0 + 1) })
  }

  @Test("what is no array of maps")
  func refusals() {
    func expect(
      _ code: RelabelError.Code,
      _ text: String,
      _ value: [UInt8],
      location: SourceLocation = #_sourceLocation
    ) {
      expectError(code, text, location: location) { _ = try load(ArrayPickle.pickle(value)) }
    }
    let data = ArrayFile.floats(one)
    expect(.unsafeInput, "it was not executed", Op.global("os", "system") + Op.text("(tR"))
    expect(.unsafeInput, "it was not executed", Op.global("numpy", "load") + Op.text(")R"))
    expect(
      .unsafeInput,
      "pickled Python objects; they were not executed",
      ArrayPickle.array([1, 2, 1, 1, 2], data, type: "O8")
    )
    expect(.invalidInput, "needs 64 bytes", ArrayPickle.array([4, 2, 1, 1, 2], data))
    expect(.invalidInput, "[N, 2, H, W, k]", ArrayPickle.array([2, 2], data))
    expect(.invalidInput, "3 planes", ArrayPickle.array([1, 3, 1, 1, 1], Array(data.dropLast(4))))
    expect(.invalidInput, "holds something else", Op.int(1))
    // An array that is named again before it is complete, and one that is completed twice.
    let draft =
      Op.global("numpy.core.multiarray", "_reconstruct") + Op.global("numpy", "ndarray")
      + Op.tuple([0]) + Op.string("b") + [0x87] + Op.text("R")
    expect(.invalidInput, "malformed", draft + [0x94] + Op.text("h\0") + [0x86])
    expect(.invalidInput, "wrongly", ArrayPickle.array([1, 2, 1, 1, 2], data) + Op.text("Nb"))
    // The mark that stands for bytes in the file, from a stranger.
    expect(
      .invalidInput,
      "opcode 255",
      [0xFF] + [UInt8](repeating: 0, count: 16)
    )
  }
}
