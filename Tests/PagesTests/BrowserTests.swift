import Relabel
import RelabelPacking
import RelabelServer
import TestSupport
import Testing

@testable import RelabelPages

@Suite("What the page of relabel browse is answered")
struct BrowserTests {
  private static let keys = ["b/Two", "a/one", "a/three", "b/one.x"]

  /// A dataset of four images, each cell of one class.
  private func dataset(_ folder: TemporaryFolder) throws {
    var options = PackOptions(output: folder.path)
    (options.numClasses, options.scoreKind) = (10, .probability)
    let writer = try DatasetWriter(options)
    for (place, key) in Self.keys.enumerated() {
      let shape = MapShape(height: 2, width: 2, topK: 1)
      let map = LabelMap(
        shape: shape,
        classIndex: [UInt32](repeating: UInt32(place), count: 4),
        score: [Float](repeating: 1 - Float(place) / 10, count: 4)
      )
      try writer.append(map, key: key)
    }
    _ = try writer.finish()
  }

  private func maps(_ folder: TemporaryFolder) throws -> BrowsedMaps {
    try dataset(folder)
    let maps = try BrowsedMaps(folder.path)
    maps.list { false }
    return maps
  }

  private func found(_ maps: BrowsedMaps, _ query: String, _ marks: ReviewMarks = .init()) throws
    -> [String]
  {
    let request = try #require(Request(.get, address: "/images?\(query)"))
    let register = try #require(maps.register)
    return try maps.positions(Selection(request), marks).map { register.key(at: Int($0)) }
  }

  @Test("Images are found by parts of their keys, and by what keys begin with")
  func keys() throws {
    let folder = TemporaryFolder()
    let maps = try maps(folder)
    #expect(try found(maps, "") == Self.keys)
    #expect(try found(maps, "key=ONE") == ["a/one", "b/one.x"])
    #expect(try found(maps, "key=%5Eb/") == ["b/Two", "b/one.x"])
    #expect(try found(maps, "key=one.x") == ["b/one.x"])
    #expect(try found(maps, "key=%5Eone").isEmpty && found(maps, "key=xa/").isEmpty)
    #expect(
      try found(maps, "key=e%00a").isEmpty
        && found(maps, "key=\(String(repeating: "a", count: 99))").isEmpty
    )
  }

  @Test("Measures sort and find once they are there, and not before")
  func measures() throws {
    let folder = TemporaryFolder()
    let maps = try maps(folder)
    for query in ["order=suspicion", "class=1"] {
      #expect(throws: RelabelError.self) { try found(maps, query) }
    }
    maps.survey.run(maps.source, jobs: 1) { false }
    #expect(maps.survey.failure == nil && maps.survey.measured == 4)
    #expect(try found(maps, "class=2") == ["a/three"])
    #expect(try found(maps, "order=uncertainty").first == "b/one.x")
    #expect(throws: RelabelError.self) { try found(maps, "order=size") }
  }

  @Test("A pass that is stopped says so")
  func stopped() throws {
    let folder = TemporaryFolder()
    let maps = try maps(folder)
    maps.survey.run(maps.source, jobs: 1) { true }
    #expect(maps.survey.failure != nil && maps.survey.findings == nil)
  }

  @Test("Images are found by their marks")
  func marks() throws {
    let folder = TemporaryFolder()
    let maps = try maps(folder)
    var marks = ReviewMarks()
    marks.set(.init(.exclude), of: "a/one")
    marks.set(.init(nil, note: "n"), of: "b/Two")
    #expect(try found(maps, "marked=exclude", marks) == ["a/one"])
    #expect(try found(maps, "marked=any", marks) == ["b/Two", "a/one"])
    marks.set(nil, of: "a/one")
    #expect(try found(maps, "marked=none", marks) == ["a/one", "a/three", "b/one.x"])
  }

  @Test("Only what begins like a picture has a type")
  func types() {
    #expect(PictureShelf.type(of: [0xFF, 0xD8, 0xFF, 0xE0]) == "image/jpeg")
    for text in ["root:x:0", "<svg>", "", "RIFF1234WAVE"] {
      #expect(PictureShelf.type(of: Array(text.utf8)) == nil)
    }
  }
}
