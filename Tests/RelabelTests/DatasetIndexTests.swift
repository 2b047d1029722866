import Relabel
import Testing

@Suite("index.json")
struct DatasetIndexTests {
  private var index: DatasetIndex {
    DatasetIndex(
      name: "labels",
      sources: 8,
      buildID: String(repeating: "a", count: 64),
      numClasses: 10,
      scoreKind: .logit,
      options: ["top_k": .integer(5)],
      annotator: nil,
      classesSHA256: nil,
      shards: [
        DatasetIndex.Shard(
          path: "labels-00000.h5",
          bytes: 4096,
          sha256: String(repeating: "b", count: 64),
          metadataSHA256: String(repeating: "c", count: 64),
          rows: 7,
          scoreRange: -0.5...61.25,
          largestError: 0.001953125
        )
      ],
      leftOut: [DatasetIndex.LeftOut(key: "a/ü", imageIndex: 3, reason: "it's \"broken\"/\\")],
      writer: "test"
    )
  }

  @Test("An index comes back as it was")
  func roundTrip() throws {
    let bytes = try index.encoded()
    #expect(try DatasetIndex(parsing: bytes) == index)
    #expect(bytes.last == UInt8(ascii: "\n"))
  }

  @Test("Any flipped bit is seen")
  func flips() throws {
    let bytes = try index.encoded()
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: RelabelError.self) { try DatasetIndex(parsing: damaged) }
    }
  }

  @Test("Any cut is seen")
  func cuts() throws {
    let bytes = try index.encoded()
    for count in 0..<bytes.count {
      #expect(throws: RelabelError.self) { try DatasetIndex(parsing: Array(bytes[..<count])) }
    }
  }

  @Test("Totals that contradict each other are refused")
  func totals() throws {
    var wrong = index
    wrong.sources = 9
    let error = #expect(throws: RelabelError.self) { try DatasetIndex(parsing: wrong.encoded()) }
    #expect(error?.rule == .m006)
  }

  @Test("Canonical JSON sorts keys, has no white space and leaves slashes alone")
  func canonical() throws {
    let json = try JSON(parsing: Array("{ \"b/c\": [1, 2.5, null], \"a\": \"ü\\n\" }".utf8))
    #expect(try json.canonical() == Array("{\"a\":\"ü\\n\",\"b/c\":[1,2.5,null]}".utf8))
    #expect(throws: RelabelError.self) { try JSON(parsing: Array("{".utf8)) }
  }
}
