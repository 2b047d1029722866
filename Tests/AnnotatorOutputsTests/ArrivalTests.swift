import AnnotatorOutputs
import FoundationEssentials
import Glibc
import Relabel
import Testing

@Suite("Compressed archives and pipes")
struct ArrivalTests {
  @Test("every compression", arguments: ["gz", "xz", "bz2", "zst"])
  func arrives(_ suffix: String) throws {
    let path = Fixtures.path("tar/maps.tar.\(suffix)")
    let options = options(topK: nil, numClasses: 100)
    let output = try AnnotatorOutput.open([path], options: options)
    #expect(
      output.traits
        == .reLabelFiles
    )
    let images = try output.arrived
    let long = "d/" + String(repeating: "x", count: 120)
    #expect(images.map(\.key) == [long, "a", "d/b"])
    #expect(images.map(\.imageIndex) == [0, 1, 2])
    #expect(images[1].source == "\(path):a.pt")
    for image in images { #expect(try image.load() == Fixtures.tarMap(image.key)) }
    #expect(try output.stream.bytesRead == Int64(Fixtures.bytes("tar/maps.tar.\(suffix)").count))
    #expect(try output.stream.next() == nil)
  }

  /// Opens a tar file through a named pipe.
  private func piped<Result>(
    _ bytes: [UInt8],
    _ options: InputOptions = options(),
    _ body: (AnnotatorOutput, String) throws -> Result
  ) throws -> Result {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", bytes)
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let writer = shell("cat \"$0\" > \"$1\"", file, pipe)
    defer { waitpid(writer, nil, 0) }
    return try body(AnnotatorOutput.open([pipe], options: options), pipe)
  }

  private func shell(_ command: String, _ words: String...) -> pid_t {
    var child: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = (["sh", "-c", command] + words).map { word in
      strdup(word)
    }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    #expect(posix_spawn(&child, "/bin/sh", nil, nil, arguments, environ) == 0)
    return child
  }

  private static let map = LegacyFile().bytes

  @Test func pipeOfEverything() throws {
    var tar = TarFile()
    tar.add("README.md", [1])
    tar.add("b.npy", try Fixtures.bytes("npy/f4-batch.npy"))
    tar.add("d/", type: "5")
    tar.add("a.pt", Self.map)
    tar.add("bad.npy", [1, 2])
    tar.add("link.pt", type: "2", link: "a.pt")
    tar.add("maps.npz", [1])
    tar.add("a.npy", try Fixtures.bytes("npy/f4-C.npy"))
    tar.add("other.npy", ArrayFile.dense([7, 3, 4]))
    tar.add("notes.txt", [1])
    try piped(tar.closed) { output, pipe in
      #expect(
        output.traits
          == .denseFixtures
      )
      #expect(output.ignored == ["\(pipe):README.md"])
      let images = try output.arrived
      #expect(
        images.map(\.key) == [
          "b#000000", "b#000001", "b#000002", "a", "bad", "link", "maps", "a", "other",
        ]
      )
      #expect(images.map(\.imageIndex) == (0..<9).map { Int64($0) })
      #expect(try images[0..<3].map { try $0.load() } == Fixtures.maps("npy/f4-batch.npy"))
      #expect(images[1].source == "\(pipe):b.npy[1]")
      #expect(try images[3].load().shape.topK == 2)
      expectError(.invalidInput, "not a .npy", "pipe:bad.npy") { _ = try images[4].load() }
      expectError(.unsafeInput, "link") { _ = try images[5].load() }
      expectError(.invalidInput, "unpack it first") { _ = try images[6].load() }
      expectError(.invalidInput, "pipe:a.pt' and", "pipe:a.npy' give the same key") {
        _ = try images[7].load()
      }
      expectError(.invalidInput, "scores 7 classes, the first map of the input 6") {
        _ = try images[8].load()
      }
      #expect(try output.stream.ignored == ["\(pipe):README.md", "\(pipe):notes.txt"])
      #expect(try output.stream.bytesRead == Int64(tar.closed.count))
    }
  }

  @Test("a listed and an arriving input refuse the same with the same error")
  func refusesLikeAListing() throws {
    var tar = TarFile()
    tar.add("a.npy", try Fixtures.bytes("npy/f4-C.npy"))
    tar.add("a.pt", Self.map)
    tar.add("b.npy", ArrayFile.dense([7, 3, 4]))
    tar.add("c.npy", [1, 2])
    tar.add("d.pt", [1, 2])
    tar.add("e.npz", [1])
    tar.add("f\u{1}.pt", Self.map)
    tar.add("link.pt", type: "2", link: "a.pt")
    tar.add("unlisted.pt", Self.map)
    let given = options(
      topK: nil,
      numClasses: 6,
      imageList: ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "link.jpg"]
    )
    // Of two images with one key the first has arrived before the other is refused, so that the
    // places differ; all else is the same.
    func refusals(_ images: [PendingImage], _ path: String) -> [String] {
      images.compactMap { image in
        do throws(RelabelError) {
          _ = try image.load()
          return nil
        } catch {
          let text = "\(image.key) \(image.imageIndex) \(error.code) \(error.message)"
          return text.split(separator: path, omittingEmptySubsequences: false).joined(
            separator: "@"
          )
        }
      }
    }
    let folder = try TemporaryFolder()
    let file = try folder.write("maps.tar", tar.closed)
    let listed = try AnnotatorOutput.open([file], options: given).listed
    try piped(tar.closed, given) { output, pipe in
      let arrived = refusals(try output.arrived, pipe)
      #expect(arrived.count == 9 - 1)
      #expect(arrived.sorted() == refusals(listed, file).sorted())
    }
  }

  @Test func listGivesTheIndices() throws {
    var tar = TarFile()
    for name in ["c", "a", "x"] { tar.add("\(name).pt", Self.map) }
    let list = ["a.JPEG", "b.JPEG", "c.JPEG"]
    try piped(tar.closed, options(imageList: list)) { output, _ in
      let images = try output.arrived
      #expect(images.map(\.imageIndex) == [2, 0, -1])
      expectError(.invalidInput, "no line for the key 'x'") { _ = try images[2].load() }
      #expect(try output.stream.unmatchedListLines == ["b.JPEG"])
    }
  }

  @Test func truncationEndsTheStream() throws {
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    tar.add("b.pt", Self.map)
    let member = tar.bytes.count / 2
    for length in [member, member + 100, member + 600, 2 * member] {
      try piped(Array(tar.closed[..<length])) { output, pipe in
        let images = try output.arrived
        #expect(images.first?.key == "a")
        #expect(images.last?.key == "pipe")
        expectError(.invalidInput, "truncated", pipe) { _ = try images.last?.load() }
      }
    }
  }

  @Test func truncatedCompression() throws {
    let folder = try TemporaryFolder()
    var tar = TarFile()
    tar.add("a.pt", Self.map)
    var random = SeededGenerator(1)
    tar.add("noise.bin", (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &random) })
    tar.add("b.pt", Self.map)
    let whole = try folder.write("maps.tar", tar.closed)
    waitpid(shell("gzip \"$0\"", whole), nil, 0)
    let bytes = Array(try Data(contentsOf: URL(filePath: whole + ".gz")))
    let path = try folder.write("cut.tar.gz", Array(bytes.dropLast(1000)))
    let images = try AnnotatorOutput.open([path], options: options(topK: nil)).arrived
    #expect(images.map(\.key) == ["a", "cut.tar"])
    #expect(try images.first?.load().shape.topK == 2)
    expectError(.invalidInput, "truncated", path) { _ = try images.last?.load() }
  }

  @Test func compressionThatBreaksAtOnce() throws {
    let folder = try TemporaryFolder()
    let bytes = try Fixtures.bytes("tar/maps.tar.gz")
    let path = try folder.write("maps.tar.gz", Array(bytes.dropLast(12)))
    expectError(.invalidInput, "truncated", path) { _ = try onlyImage(path).load() }
  }

  @Test func largeMemberIsNotHeld() throws {
    var tar = TarFile()
    tar.add("a.pt", declaring: 300 << 20)
    try piped(tar.bytes) { output, _ in
      let images = try output.arrived
      expectError(.unsafeInput, "declares 314572800 bytes") { _ = try images[0].load() }
    }
  }

  @Test func nothingInside() throws {
    for bytes in [TarFile().closed, []] {
      do {
        try piped(bytes) { output, _ in
          expectError(.invalidInput, "") { _ = try output.arrived[0].load() }
        }
      } catch let error as RelabelError {
        #expect(error.code == .usage)
        #expect(error.description.contains("nothing to read"))
      }
    }
  }

  @Test func streamHasToBeAlone() {
    expectError(.usage, "has to be the only input", "maps.tar.gz") {
      _ = try AnnotatorOutput.open(
        [Fixtures.path("pt/zip-float32.pt"), Fixtures.path("tar/maps.tar.gz")],
        options: options()
      )
    }
  }
}
