import AnnotatorOutputs
import FoundationEssentials
import Relabel
import Testing

@Suite("Tar files")
struct TarTests {
  private static let map = LegacyFile().bytes

  private func open(_ bytes: [UInt8]) throws -> AnnotatorOutput {
    let folder = try TemporaryFolder()
    return try AnnotatorOutput.open([folder.write("maps.tar", bytes)], options: options(topK: nil))
  }

  @Test("names of every format", arguments: ["tar/gnu.tar", "tar/pax.tar", "tar/ustar.tar"])
  func formats(_ name: String) throws {
    let path = Fixtures.path(name)
    let options = options(topK: nil, numClasses: 100)
    let output = try AnnotatorOutput.open([path], options: options)
    let images = try output.listed
    #expect(images.count == (name == "tar/ustar.tar" ? 4 : 6))
    for image in images {
      #expect(try image.load() == Fixtures.tarMap(image.key))
      #expect(image.source == "\(path):\(image.key).pt")
    }
    #expect(output.inputBytes == (try Fixtures.bytes(name).count))
    #expect(output.traits.isReLabelDialect)
  }

  @Test func orderOfMembersDoesNotMatter() throws {
    // One was written in the opposite order of the other.
    let listings = try ["tar/gnu.tar", "tar/pax.tar"].map { name in
      try AnnotatorOutput.open(
        [Fixtures.path(name)],
        options: options(topK: nil, numClasses: 100)
      ).listed
    }
    #expect(listings[0].map { Array($0.key.utf8) } == listings[1].map { Array($0.key.utf8) })
    #expect(try listings[0].map { try $0.load() } == listings[1].map { try $0.load() })
    #expect(listings[0].map(\.imageIndex) == [0, 1, 2, 3, 4, 5])
  }

  @Test func arraysInTar() throws {
    var tar = TarFile()
    tar.add("d/", type: "5")
    tar.add("d/batch.npy", try Fixtures.bytes("npy/f4-batch.npy"))
    tar.add("one.npy", try Fixtures.bytes("npy/f4-F.npy"))
    tar.add("maps.npz", [1, 2, 3])
    tar.add("README.md", [1])
    tar.add("d/.hidden.pt", [1])
    let folder = try TemporaryFolder()
    let path = try folder.write("maps.tar", tar.closed)
    let output = try AnnotatorOutput.open([path], options: options())
    let images = try output.listed
    #expect(
      images.map(\.key)
        == ["d/batch#000000", "d/batch#000001", "d/batch#000002", "maps", "one"]
    )
    #expect(images[1].source == "\(path):d/batch.npy[1]")
    expectError(.invalidInput, "unpack it first", "\(path):maps.npz") { _ = try images[3].load() }
    let expected = try Fixtures.maps("npy/f4-batch.npy") + Fixtures.maps("npy/f4-F.npy")
    #expect(try [0, 1, 2, 4].map { try images[$0].load() } == expected)
    #expect(output.ignored == ["\(path):README.md", "\(path):d/.hidden.pt"])
  }

  static let refusedMembers: [(String, Character, RelabelError.Code, String)] = [
    ("/etc/a.pt", "0", .unsafeInput, "absolute path"),
    ("../a.pt", "0", .unsafeInput, "leaves the archive"),
    ("d/../../a.pt", "0", .unsafeInput, "leaves the archive"),
    ("../notes.txt", "0", .unsafeInput, "leaves the archive"),
    ("a.pt", "1", .unsafeInput, "is a hard link to 'elsewhere'"),
    ("a.pt", "2", .unsafeInput, "is a symbolic link"),
    ("a.pt", "3", .unsafeInput, "device or pipe"),
    ("a.pt", "6", .unsafeInput, "device or pipe"),
    ("d//a.pt", "0", .invalidInput, "an empty part"),
    ("d/\u{1}.pt", "0", .invalidInput, "control characters"),
  ]

  @Test("members that are refused by name", arguments: refusedMembers)
  func hostile(
    _ name: String,
    _ type: Character,
    _ code: RelabelError.Code,
    _ message: String
  ) throws {
    var tar = TarFile()
    tar.add("good.pt", Self.map)
    tar.add(name, type: type, link: "elsewhere")
    tar.add("other.pt", Self.map)
    let images = try open(tar.closed).listed
    #expect(images.count == 3)
    let bad = try #require(images.first { $0.key != "good" && $0.key != "other" })
    expectError(code, message, "maps.tar:") { _ = try bad.load() }
    for image in images where image.key != bad.key {
      #expect(try image.load().shape.topK == 2)
    }
  }

  @Test func nameThatIsNotUTF8() throws {
    var tar = TarFile()
    tar.add([0xFF] + Array(".pt".utf8), Self.map)
    let images = try open(tar.closed).listed
    expectError(.invalidInput, "not valid UTF-8") { _ = try images[0].load() }
  }

  @Test func sameMemberTwice() throws {
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    tar.add("./a.pt", Self.map)
    tar.add("b.pt", Self.map)
    let images = try open(tar.closed).listed
    #expect(images.map(\.key) == ["a", "b"])
    expectError(.invalidInput, "maps.tar:a.pt' is there twice") { _ = try images[0].load() }
  }

  @Test func concatenatedArchivesAreReadWhole() throws {
    var (first, second) = (TarFile(), TarFile())
    first.add("a.pt", Self.map)
    second.add("b.pt", Self.map)
    let images = try open(first.closed + second.closed).listed
    #expect(images.map(\.key) == ["a", "b"])
    #expect(try images[1].load().shape.topK == 2)
  }

  @Test func truncationKeepsWhatCameBefore() throws {
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    tar.add("b.pt", Self.map)
    let member = tar.bytes.count / 2
    // Within the header, the contents and the padding of the second member, and after it.
    for length in [member + 100, member + 512, member + 700, 2 * member - 1, 2 * member] {
      let images = try open(Array(tar.closed[..<length])).listed
      #expect(images.first?.key == "a")
      #expect(try images.first?.load().shape.topK == 2)
      let rest = try #require(images.first { $0.key == "maps" })
      expectError(.invalidInput, "truncated", "maps.tar") { _ = try rest.load() }
    }
    let images = try open(Array(tar.closed[..<member])).listed
    #expect(images.map(\.key) == ["a", "maps"])
  }

  @Test func garbageAfterTheEnd() throws {
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    let images = try open(tar.closed + [UInt8](repeating: 7, count: 512)).listed
    #expect(images.map(\.key) == ["a", "maps"])
    expectError(.invalidInput, "damaged") { _ = try images[1].load() }
  }

  @Test func damagedHeader() throws {
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    let first = tar.bytes.count
    tar.add("b.pt", Self.map)
    var bytes = tar.closed
    bytes[first + 124] ^= 1
    let images = try open(bytes).listed
    #expect(images.map(\.key) == ["a", "maps"])
    expectError(.invalidInput, "damaged") { _ = try images[1].load() }
  }

  @Test("plain members before and behind others", arguments: 0...4)
  func plainMembers(_ place: Int) throws {
    let single = try TemporaryFolder()
    let expected = try onlyImage(single.write("map.pt", Self.map), options(topK: nil)).load()
    let others: [(name: String, type: Character, contents: [UInt8])] = [
      ("d/", "5", []), ("link.pt", "2", []), ("d/\u{FC}.pt", "0", Self.map),
      ("README.md", "0", [1]), ("d/._p.pt", "0", [1]),
    ]
    for other in others {
      var tar = TarFile()
      for number in 0...4 {
        if number == place { tar.add(other.name, other.contents, type: other.type) }
        if number < 4 { tar.add("p\(number).pt", Self.map) }
      }
      let folder = try TemporaryFolder()
      let path = try folder.write("maps.tar", tar.closed)
      let images = try AnnotatorOutput.open([path], options: options(topK: nil)).listed
      let plain = images.filter { $0.key.hasPrefix("p") }
      #expect(plain.map(\.source) == (0..<4).map { "\(path):p\($0).pt" })
      #expect(try plain.allSatisfy { try $0.load() == expected })
    }
  }

  @Test func flipsGiveErrorsOrMaps() throws {
    let bytes = try Fixtures.bytes("tar/pax.tar")
    let folder = try TemporaryFolder()
    for flipped in flippedCopies(of: bytes) {
      let path = try folder.write("maps.tar", flipped)
      for image in try AnnotatorOutput.open([path], options: options(topK: nil)).listed {
        do { _ = try image.load() } catch { #expect(error.code != .internalFault) }
      }
    }
  }

  @Test func notATar() throws {
    let folder = try TemporaryFolder()
    let broken = try onlyImage(folder.write("maps.tar.gz", [0x1F, 0x8B, 8, 0, 1, 2, 3]))
    expectError(.invalidInput, "maps.tar.gz") { _ = try broken.load() }
    // What torch.save wrote is known by its first bytes, whatever it is called.
    let torch = try folder.write("map.tar", try Fixtures.bytes("pt/zip-float32.pt"))
    let image = try onlyImage(torch)
    #expect(image.key == "map")
    #expect(try image.load() == Fixtures.maps("pt/zip-float32.pt")[0])
    let text = try folder.write("notes.txt", Array("hello".utf8))
    expectError(.usage, ".npy, .npz, .safetensors, .h5, .hdf5 or tar file", text) {
      _ = try AnnotatorOutput.open([text], options: options())
    }
  }
}
