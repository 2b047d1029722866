import AnnotatorOutputs
import Relabel
import Testing

@Suite("Arrays of an HDF5 file, as a helper tells of them")
struct HDF5ArraysTests {
  /// A file of arrays in memory, handed over in pieces of a few bytes.
  struct Arrays: ForeignArrays {
    final class Pieces: ForeignBytes {
      var bytes: [UInt8]
      let size: Int

      init(_ bytes: [UInt8], of size: Int) { (self.bytes, self.size) = (bytes, size) }

      func next() throws(RelabelError) -> [UInt8]? {
        if bytes.isEmpty { return nil }
        defer { bytes.removeFirst(min(bytes.count, size)) }
        return Array(bytes.prefix(size))
      }
    }

    var arrays: [(ForeignArray, [UInt8])] = []

    mutating func add(_ path: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
      var array = ForeignArray(path: path)
      (array.type, array.shape) = (type, shape)
      array.itemBytes = type.last?.wholeNumberValue ?? 16
      array.storedBytes = bytes.count
      arrays.append((array, bytes))
    }

    mutating func add(_ path: String, _ values: [Float], _ shape: [Int]) {
      add(path, "f4", shape, ArrayFile.floats(values))
    }

    func list(
      _ path: String,
      receive: (ForeignArray) throws(RelabelError) -> Void
    ) throws(RelabelError) {
      for (array, _) in arrays { try receive(array) }
    }

    func read(_ request: ForeignRequest) throws(RelabelError) -> any ForeignBytes {
      var bytes: [UInt8] = []
      for place in 0..<request.names.count {
        bytes += arrays.first { $0.0.path == request.names[place] }?.1 ?? []
      }
      // Texts come whole, numbers anyhow.
      return Pieces(bytes, of: request.array.type == ForeignArray.text ? bytes.count : 7)
    }
  }

  private func output(
    _ arrays: Arrays?,
    _ words: [String] = [],
    axes: String? = nil,
    topK: Int? = nil
  ) throws -> AnnotatorOutput {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.h5", [0x89] + Array("HDF\r\n\u{1A}\n".utf8) + [0, 0])
    var options = AnnotatorOutputsTests.options(topK: topK, numClasses: 3)
    options.foreign = arrays
    if !words.isEmpty { options.arrays = try ChosenArrays(words) }
    if let axes { options.axes = try ArrayAxes(axes) }
    return try AnnotatorOutput.open([path], options: options)
  }

  private static let scores: [Float] = [4, 3, 2, 1]
  private static let keys = ForeignTexts.encoded([Array("x/b.png".utf8), Array("x/a.png".utf8)])

  private static var pair: Arrays {
    var arrays = Arrays()
    arrays.add("class_index", "u1", [2, 1, 1, 2], [2, 0, 1, 2])
    arrays.add("score", scores, [2, 1, 1, 2])
    return arrays
  }

  @Test func scoresAndClassIDs() throws {
    var arrays = Self.pair
    arrays.add("names", ForeignArray.text, [2], Self.keys)
    let images = try output(arrays).listed
    try #require(images.map(\.key) == ["x/a.png", "x/b.png"])
    #expect(try images[1].load().classIndex == [2, 0])
    #expect(try images[1].load().score == [4, 3])
  }

  @Test func anArrayForEachImage() throws {
    var arrays = Arrays()
    for name in ["n/b.jpg", "n/a.jpg"] {
      arrays.add("\(name)/ids", "i8", [1, 1, 1], [1, 0, 0, 0, 0, 0, 0, 0])
      arrays.add("\(name)/scores", [7], [1, 1, 1])
    }
    #expect(try output(arrays).listed.map(\.key) == ["n/a", "n/b"])
    #expect(try output(arrays, ["n"]).listed.map(\.key) == ["a", "b"])
  }

  @Test func theUserChooses() throws {
    var arrays = Self.pair
    arrays.add("logits", [1, 2, 3], [3])
    expectError(.usage, "2 arrays that may be scores", "'score' [2, 1, 1, 2] of float32") {
      _ = try output(arrays)
    }
    let image = try #require(try output(arrays, ["/logits"], axes: "c", topK: 3).listed.first)
    #expect(try image.load().classIndex == [2, 1, 0])
    expectError(.usage, "no array 'x'") { _ = try output(arrays, ["x"]) }
    expectError(.usage, "no array 'x'") { _ = try output(arrays, ["scores=score", "ids=x"]) }
  }

  @Test("words of --array", arguments: [["a", "b"], ["ids=a"], ["keys="], ["/"]])
  func wrongWords(_ words: [String]) {
    expectError(.usage, "--array") { _ = try ChosenArrays(words) }
  }

  @Test func nobodyReads() {
    expectError(.usage, "helper process") { _ = try output(nil) }
  }

  @Test func whoSendsMoreOrLess() throws {
    func failure(_ bytes: [UInt8]) throws -> String {
      var arrays = Arrays()
      arrays.add("class_index", "u1", [2, 1, 1, 2], bytes)
      arrays.add("score", Self.scores, [2, 1, 1, 2])
      let image = try #require(try output(arrays).listed.first)
      do { _ = try image.load() } catch { return error.message }
      return ""
    }
    #expect(try failure([1, 2, 0]).contains("ends before its shape"))
    #expect(try failure([1, 2, 0, 1, 2]).contains("goes on behind its shape"))
    for keys in [Array(Self.keys.dropLast()), Self.keys + Self.keys, [0xFF, 0xFF, 0xFF, 0xFF]] {
      var arrays = Self.pair
      arrays.add("keys", ForeignArray.text, [2], keys)
      let image = try #require(try output(arrays).listed.first)
      #expect(throws: RelabelError.self) { try image.load() }
    }
  }

  @Test func whatAHelperSaysIsChecked() {
    let sound = Self.pair.arrays[1].0
    #expect(ForeignArray(sound.json) == sound)
    let refused = ForeignArray(path: "a", fault: "it is odd", isUnsafe: true)
    #expect(ForeignArray(refused.json) == refused)
    for (member, value) in [
      ("shape", JSON.array([.integer(0)])), ("shape", .array([.integer(-4)])),
      ("shape", .string("4")), ("item_bytes", .integer(0)), ("stored_bytes", .integer(-1)),
      ("path", .string("")),
    ] {
      guard case .object(var words) = sound.json else { return }
      words[member] = value
      #expect(ForeignArray(.object(words)) == nil)
    }
  }
}
