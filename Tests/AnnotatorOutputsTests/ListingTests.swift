import AnnotatorOutputs
import FoundationEssentials
import Glibc
import Relabel
import Testing

@Suite("Folders, keys and indices")
struct ListingTests {
  private static let map = LegacyFile().bytes

  private func folder(_ names: String...) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in names { try folder.write(name, Self.map) }
    return folder
  }

  @Test func foldersAreWalkedInKeyOrder() throws {
    let folder = try folder(
      "b/2.pt",
      "b/1.x.pt",
      "b-/1.pt",
      "a.pt",
      "é.pt",
      "z.pt",
      "notes.txt",
      ".hidden.pt",
      ".git/x.pt",
      "b/big.tar"
    )
    let output = try AnnotatorOutput.open([folder.path], options: options())
    let images = try output.listed
    #expect(images.map(\.key) == ["a", "b-/1", "b/1.x", "b/2", "z", "é"])
    #expect(images.map(\.imageIndex) == [0, 1, 2, 3, 4, 5])
    #expect(images[2].source == "\(folder.path)/b/1.x.pt")
    #expect(
      output.ignored
        == [".git", ".hidden.pt", "b/big.tar", "notes.txt"].map { "\(folder.path)/\($0)" }
    )
    #expect(output.inputBytes == Int64(6 * Self.map.count))
    for image in images { #expect(try image.load().shape.topK == 2) }
    let slashed = try AnnotatorOutput.open([folder.path + "/"], options: options())
    #expect(try slashed.listed.map(\.source) == images.map(\.source))
  }

  @Test func linksAreFollowedOnce() throws {
    let folder = try folder("d/a.pt")
    #expect(symlink("a.pt", folder.path + "/d/b.pt") == 0)
    #expect(symlink("d", folder.path + "/e") == 0)
    #expect(symlink("..", folder.path + "/d/up") == 0)
    #expect(symlink("nowhere", folder.path + "/gone.pt") == 0)
    let output = try AnnotatorOutput.open([folder.path], options: options())
    let images = try output.listed
    // Going up by the link leads to the same folders again, where the second time is noticed.
    #expect(images.map(\.key).contains("d/b") && images.map(\.key).contains("e/a"))
    #expect(images.count < 20)
    #expect(!output.ignored.isEmpty)
    let gone = try #require(images.first { $0.key == "gone" })
    expectError(.io, "can't be opened", "gone.pt") { _ = try gone.load() }
  }

  @Test func fileThatWentAway() throws {
    let folder = try folder("a.pt")
    let image = try AnnotatorOutput.open([folder.path], options: options()).listed[0]
    unlink(folder.path + "/a.pt")
    expectError(.io, "can't be opened", "a.pt") { _ = try image.load() }
  }

  /// Two names that differ in bytes which are no text stay two.
  @Test func namesThatAreNotUTF8() throws {
    let folder = try folder("a.pt")
    for byte: CChar in [-1, -2] {
      let name = Array(folder.path.utf8CString.dropLast()) + [0x2F, byte, 0x2E, 0x70, 0x74, 0]
      let file = creat(name, 0o600)
      #expect(file >= 0)
      close(file)
    }
    let images = try AnnotatorOutput.open([folder.path], options: options()).listed
    #expect(images.map(\.key) == ["\\xfe", "\\xff", "a"])
    for image in images.dropLast() {
      expectError(.invalidInput, "not valid UTF-8") { _ = try image.load() }
    }
  }

  @Test func twoSourcesOfAKey() throws {
    let (one, two) = (try folder("d/a.pt", "b.pt"), try folder("d/a.pt", "c.pt"))
    try one.write("b.npy", try Fixtures.bytes("npy/f4-C.npy"))
    var other = LegacyFile()
    other.storage = LegacyFile.storage([25] + LegacyFile.values.dropFirst())
    try two.write("d/a.pt", other.bytes)
    let output = try AnnotatorOutput.open([one.path, two.path], options: options())
    let images = try output.listed
    #expect(images.map(\.key) == ["b", "c", "d/a"])
    expectError(.invalidInput, "'\(one.path)/b.npy' and '\(one.path)/b.pt' give the same key") {
      _ = try images[0].load()
    }
    expectError(.invalidInput, "\(one.path)/d/a.pt'", "\(two.path)/d/a.pt'", "same key") {
      _ = try images[2].load()
    }
    #expect(try images[1].load().shape.topK == 2)
    #expect(images.map(\.imageIndex) == [0, 1, 2])
  }

  @Test func equalCopiesOfAKey() throws {
    let (one, two) = (try folder("d/a.pt", "b.pt"), try folder("d/a.pt"))
    let output = try AnnotatorOutput.open([two.path, one.path], options: options())
    let images = try output.listed
    #expect(images.map(\.key) == ["b", "d/a"])
    let sources = ["\(one.path)/d/a.pt", "\(two.path)/d/a.pt"].sorted()
    #expect(images[1].source == sources[0])
    #expect(output.copies == ["'\(sources[1])' is '\(sources[0])'"])
  }

  @Test func inputsOfSeveralKinds() throws {
    let folder = try folder("d/a.pt")
    let output = try AnnotatorOutput.open(
      [folder.path, Fixtures.path("tar/ustar.tar"), Fixtures.path("npz/logits-one.npz")],
      options: options()
    )
    #expect(try output.listed.count == 6)
    #expect(
      output.traits
        == SourceTraits(
          scoreKind: .logit,
          numClasses: 6,
          isReLabelDialect: false,
          dialects: ["NumPy archive", "ReLabel tensor"]
        )
    )
  }

  @Test func listGivesTheIndices() throws {
    let folder = try folder("a.pt", "b.pt", "c/d.pt")
    let list = ["c/d.JPEG", "x.JPEG", "./a.JPEG"]
    let output = try AnnotatorOutput.open([folder.path], options: options(imageList: list))
    let images = try output.listed
    #expect(images.map(\.key) == ["c/d", "a", "b"])
    #expect(images.map(\.imageIndex) == [0, 2, -1])
    #expect(output.unmatchedListLines == ["x.JPEG"])
    expectError(.invalidInput, "no line for the key 'b'") { _ = try images[2].load() }
    #expect(try images[1].load().shape.topK == 2)
  }

  @Test func listNamesTheRowsOfBatches() throws {
    let paths = [Fixtures.path("npz/logits.npz"), Fixtures.path("npy/f4-batch.npy")]
    let list = ["z.jpg", "y.jpg", "x.jpg", "c.jpg", "b.jpg", "a.jpg"]
    let output = try AnnotatorOutput.open(paths, options: options(imageList: list))
    let images = try output.listed
    #expect(images.map(\.key) == ["z", "y", "x", "c", "b", "a"])
    #expect(images.map(\.imageIndex) == [0, 1, 2, 3, 4, 5])
    let expected = try Fixtures.maps("npz/logits.npz") + Fixtures.maps("npy/f4-batch.npy")
    #expect(try images.map { try $0.load() } == expected)
    expectError(.usage, "5 lines, the batches hold 6 maps") {
      _ = try AnnotatorOutput.open(paths, options: options(imageList: Array(list.dropLast())))
    }
    let folder = try TemporaryFolder()
    let broken = try folder.write("broken.npz", [1, 2, 3])
    expectError(.invalidInput, "broken.npz") {
      _ = try AnnotatorOutput.open(paths + [broken], options: options(imageList: list))
    }
  }

  @Test func badLists() throws {
    let folder = try folder("a.pt")
    expectError(.usage, "lines 1 and 3", "same key 'a'") {
      let list = ["a.jpg", "b.jpg", "a.png"]
      _ = try AnnotatorOutput.open([folder.path], options: options(imageList: list))
    }
    expectError(.usage, "line 2 of the image list", "'..'") {
      let list = ["a.jpg", "../b.jpg"]
      _ = try AnnotatorOutput.open([folder.path], options: options(imageList: list))
    }
  }

  @Test func invalidKeys() throws {
    let folder = try folder("a\u{1}.pt")
    let images = try AnnotatorOutput.open([folder.path], options: options()).listed
    expectError(.invalidInput, "control characters") { _ = try images[0].load() }
  }

  @Test func nothingToRead() throws {
    let folder = try TemporaryFolder()
    expectError(.usage, "nothing to read", folder.path) {
      _ = try AnnotatorOutput.open([folder.path], options: options())
    }
    try folder.write("notes.txt", [1])
    expectError(.usage, "nothing to read", "1 files have another ending") {
      _ = try AnnotatorOutput.open([folder.path], options: options())
    }
    expectError(.usage, "no such file", "nowhere") {
      _ = try AnnotatorOutput.open([folder.path + "/nowhere"], options: options())
    }
    expectError(.usage, "neither a file nor a folder") {
      _ = try AnnotatorOutput.open(["/dev/null"], options: options())
    }
    expectError(.usage, "the top-k is 0") {
      _ = try AnnotatorOutput.open([folder.path], options: options(topK: 0))
    }
  }
}
