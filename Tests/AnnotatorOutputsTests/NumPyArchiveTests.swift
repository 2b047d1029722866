import AnnotatorOutputs
import Relabel
import Testing

@Suite("Files of NumPy arrays, .npz")
struct NumPyArchiveTests {
  @Test("every form", arguments: Fixtures.names("npz/"))
  func reads(_ name: String) throws {
    let output = try AnnotatorOutput.open([Fixtures.path(name)], options: options())
    var images = try output.listed
    var keys = images.map(\.key)
    switch name {
    case "npz/probabilities.npz":
      // Listed by key; the fixture's maps are in the file's order.
      #expect(keys == ["a/1", "b/ü", "c"])
      images.swapAt(0, 1)
      keys = []
    case "npz/scores-f2.npz", "npz/scores-f8.npz": #expect(keys == ["k/0", "k/1", "k/2"])
    case "npz/sparse-one-F.npz": #expect(keys == ["only"])
    default:
      let path = String(name.dropFirst(4).dropLast(4))
      #expect(keys == (keys.count == 1 ? [path] : (0..<3).map { "\(path)#00000\($0)" }))
    }
    #expect(try images.map { try $0.load() } == Fixtures.maps(name))
    let isDense = name.contains("logits") || name.contains("prob")
    #expect(output.traits.numClasses == (isDense ? 6 : nil))
    #expect(
      output.traits.scoreKind
        == (isDense ? (name.contains("logits") ? .logit : .probability) : nil)
    )
    #expect(!output.traits.isReLabelDialect)
  }

  @Test func sparseKeepsItsOwnTopK() throws {
    let path = Fixtures.path("npz/sparse-one.npz")
    #expect(try onlyImage(path, options(topK: nil)).load().shape.topK == 2)
    let cut = try onlyImage(path, options(topK: 1)).load()
    let whole = try Fixtures.maps("npz/sparse-one.npz")[0]
    #expect(cut.score == stride(from: 0, to: 24, by: 2).map { whole.score[$0] })
    expectError(.usage, "keeps 2 classes") { _ = try onlyImage(path, options(topK: 3)).load() }
  }

  @Test func contradictingScoreKind() {
    expectError(.usage, "'logit'", "'probability'", "logits.npz") {
      _ = try AnnotatorOutput.open(
        [Fixtures.path("npz/logits.npz")],
        options: options(scoreKind: .probability)
      )
    }
    expectError(.usage, "kinds 'probability' and 'logit'") {
      _ = try AnnotatorOutput.open(
        [Fixtures.path("npz/logits.npz"), Fixtures.path("npz/probabilities.npz")],
        options: options()
      )
    }
    expectError(.usage, "kinds") {
      _ = try AnnotatorOutput.open(
        [Fixtures.path("pt/zip-float32.pt"), Fixtures.path("npz/probabilities.npz")],
        options: options()
      )
    }
  }

  private func images(_ members: [(String, [UInt8])]) throws -> [PendingImage] {
    let folder = try TemporaryFolder()
    var zip = ZipFile()
    for (name, data) in members { zip.add("\(name).npy", data) }
    let path = try folder.write("maps.npz", zip.bytes)
    return try AnnotatorOutput.open([path], options: options()).listed
  }

  private static let ids = ArrayFile.npy([2, 1, 1, 2], [3, 4, 5, 6], type: "|u1")
  private static let scores = ArrayFile.npy([2, 1, 1, 2], ArrayFile.floats([4, 3, 2, 1]))
  private static let dense = ArrayFile.dense([3, 1, 2])
  private static let keys = ArrayFile.npy([2], Array("abcd".utf8), type: "|S2")

  static let broken: [([(String, [UInt8])], RelabelError.Code, String)] = [
    (
      [("logits", dense), ("probabilities", dense)], .invalidInput, "both logits and probabilities"
    ),
    ([("logits", dense), ("score", scores)], .invalidInput, "either logits or probabilities"),
    ([("class_index", ids)], .invalidInput, "either logits or probabilities"),
    ([("keys", keys)], .invalidInput, "either logits or probabilities"),
    ([("logits", dense), ("arr_0", dense)], .invalidInput, "arr_0.npy"),
    ([("logits", dense), ("logits", dense)], .invalidInput, "two arrays named 'logits.npy'"),
    ([("logits", dense), ("keys", keys)], .invalidInput, "2 keys for 1 maps"),
    (
      [("class_index", ids), ("score", ArrayFile.dense([1, 1, 2]))], .invalidInput,
      "class_index has the shape [2, 1, 1, 2], score [1, 1, 2]"
    ),
    ([("class_index", ids), ("score", ids)], .invalidInput, "scores are of float16"),
    (
      [("class_index", ArrayFile.npy([1, 1, 2], [65, 66], type: "|S1"))], .invalidInput,
      "class ids are numbers"
    ),
    ([("class_index", ArrayFile.dense([4, 6]))], .invalidInput, "[H, W, k]"),
    ([("class_index", ArrayFile.npy([0, 1, 1, 2], []))], .invalidInput, "no map"),
    ([("class_index", ArrayFile.dense([1, 5000, 1]))], .invalidInput, "grid is 1×5000"),
    (
      [("class_index", ArrayFile.npy([2, 1, 1, 1], [0, 0], type: "|u1", fortran: true))],
      .invalidInput, "Fortran order"
    ),
    ([("logits", dense + [0])], .invalidInput, "1 trailing bytes"),
    ([("logits", Array(dense.dropLast()))], .invalidInput, "truncated"),
    ([("logits", [])], .invalidInput, "truncated"),
    ([("keys", ArrayFile.npy([1, 1], [65], type: "|S1"))], .invalidInput, "the keys' shape"),
    ([("keys", ArrayFile.npy([1], [255], type: "|S1"))], .invalidInput, "key 0 is not valid text"),
    (
      [("keys", ArrayFile.npy([1], [0, 0xD8, 0, 0], type: "<U1"))], .invalidInput,
      "key 0 is not valid text"
    ),
    ([("keys", ArrayFile.dense([1]))], .invalidInput, "key 0 is not valid text"),
    ([("logits", ArrayFile.npy([1], [0], type: "|O"))], .unsafeInput, "were not executed"),
    ([("logits", ArrayFile.npy([1], [0], type: "|O8"))], .unsafeInput, "were not executed"),
  ]

  @Test("broken files are one image that fails", arguments: broken)
  func isBroken(_ members: [(String, [UInt8])], _ code: RelabelError.Code, _ message: String) throws
  {
    let images = try images(members)
    #expect(images.map(\.key) == ["maps"])
    expectError(code, message, "maps.npz") { _ = try images[0].load() }
  }

  @Test func badRowLeavesTheOthers() throws {
    let ids = ArrayFile.npy([2, 1, 1, 2], ArrayFile.floats([3, 4, 5, 6.5]))
    let images = try images([("score", Self.scores), ("class_index", ids)])
    #expect(try images[0].load().classIndex == [3, 4])
    expectError(.invalidInput, "maps.npz[1]", "cell (0, 0) rank 1", "not a whole number") {
      _ = try images[1].load()
    }
    var dense = (0..<12).map { Float($0) }
    dense[7] = .nan
    let rows = try self.images([("logits", ArrayFile.npy([2, 3, 1, 2], ArrayFile.floats(dense)))])
    #expect(rows.count == 1 || rows.count == 2)
    #expect(try rows[0].load().classIndex == [2, 1, 2, 1])
    expectError(.invalidInput, "the score of class 0 is NaN") { _ = try rows[1].load() }
  }

  @Test func keysAreChecked() throws {
    let keys = ArrayFile.npy([2], Array("../x".utf8) + Array("y\0\0\0".utf8), type: "|S4")
    let images = try images([("keys", keys), ("score", Self.scores), ("class_index", Self.ids)])
    #expect(images.map(\.key) == ["../x", "y"])
    expectError(.invalidInput, "the part '..'") { _ = try images[0].load() }
    #expect(try images[1].load().classIndex == [5, 6])
  }

  @Test func flippedByteFailsTheChecksum() throws {
    var zip = ZipFile()
    zip.add("logits.npy", Self.dense)
    var bytes = zip.bytes
    let place = 30 + "logits.npy".utf8.count + Self.dense.count - 2
    bytes[place] ^= 1
    let folder = try TemporaryFolder()
    let path = try folder.write("maps.npz", bytes)
    expectError(.invalidInput, "CRC") { _ = try onlyImage(path).load() }
  }

  @Test func truncatedFile() throws {
    let bytes = try Fixtures.bytes("npz/logits-deflated.npz")
    let folder = try TemporaryFolder()
    for length in stride(from: 0, to: bytes.count, by: 7) {
      let path = try folder.write("maps.npz", Array(bytes[..<length]))
      expectError(.invalidInput) { _ = try onlyImage(path).load() }
    }
  }

  @Test("flipped bytes give an error or maps", arguments: ["logits", "probabilities", "ids-i8"])
  func flips(_ name: String) throws {
    let bytes = try Fixtures.bytes("npz/\(name).npz")
    let folder = try TemporaryFolder()
    for flipped in flippedCopies(of: bytes) {
      let path = try folder.write("maps.npz", flipped)
      let images = try AnnotatorOutput.open([path], options: options()).listed
      for image in images {
        do { _ = try image.load() } catch { #expect(error.code != .internalFault) }
      }
    }
  }

  @Test func bombIsNotInflated() throws {
    var zip = ZipFile()
    zip.add("logits.npy", Self.dense, declaring: 3_000_000_000)
    let folder = try TemporaryFolder()
    let path = try folder.write("maps.npz", zip.bytes)
    expectError(.unsafeInput, "zip bomb") { _ = try onlyImage(path).load() }
  }

  @Test func spoolThatCannotBeMade() {
    var options = options()
    options.spoolDirectory = "/nowhere/at/all"
    expectError(.io, "temporary file can't be made", "/nowhere/at/all") {
      _ = try AnnotatorOutput.open([Fixtures.path("npz/logits.npz")], options: options)
    }
  }
}
