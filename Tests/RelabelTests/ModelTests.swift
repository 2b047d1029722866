import Relabel
import Testing

@Suite("Model")
struct ModelTests {
  @Test("Valid keys pass", arguments: ["a", "n01440764/n01440764_10026", "ä b/ü.x", "..a/b"])
  func validKeys(_ key: String) {
    #expect(ImageKey.fault(key) == nil)
  }

  @Test(
    "Keys that leave the folder or can't be a path are refused",
    arguments: ["", "/a", "a//b", "a/", "../a", "a/../b", "./a", "a\u{0}b", "a\nb", "a\u{7F}"]
  )
  func invalidKeys(_ key: String) {
    #expect(ImageKey.fault(key) != nil)
    #expect(ImageKey.fault(String(repeating: "k", count: 1025)) != nil)
    #expect(ImageKey.fault(String(repeating: "k", count: 1024)) == nil)
  }

  @Test(
    "Only the last extension goes",
    arguments: [
      ("a/b.pt", "a/b"), ("a.b/c", "a.b/c"), ("x.tar.pt", "x.tar"), (".hidden", ".hidden"),
      ("a/.b", "a/.b"),
    ]
  )
  func extensions(_ path: String, _ key: String) {
    #expect(ImageKey.strippingExtension(path) == key)
  }

  @Test(
    "Row orders are read and printed",
    arguments: [("source", "source"), ("shuffled", "shuffled:0"), ("shuffled:7", "shuffled:7")]
  )
  func rowOrders(_ text: String, _ printed: String) {
    #expect(RowOrder(text).map { "\($0)" } == printed)
  }

  @Test("Other words are refused", arguments: ["", "random", "shuffled:", "shuffled:-1", "Source"])
  func otherRowOrders(_ text: String) {
    #expect(RowOrder(text) == nil)
    #expect(Compression(text) == nil)
  }

  @Test(
    "Compressions are read and printed",
    arguments: [
      ("none", "none", nil, nil), ("deflate", "deflate:4,5", 4, 5),
      ("deflate:7", "deflate:7", 7, 7), ("deflate:1,12", "deflate:1,12", 1, 12),
    ]
  )
  func compressions(_ text: String, _ printed: String, _ ids: Int?, _ others: Int?) throws {
    let compression = try #require(Compression(text))
    #expect("\(compression)" == printed)
    #expect(Compression(printed) == compression)
    #expect(compression.level(of: Layout.classIndex) == ids)
    #expect(compression.level(of: Layout.score) == others)
    #expect(compression.level(of: Layout.imageKey) == others)
  }

  @Test(
    "Other compressions are refused",
    arguments: ["deflate:", "deflate:0", "deflate:13", "deflate:4,", "deflate:,5", "deflate:4,5,6"]
  )
  func otherCompressions(_ text: String) {
    #expect(Compression(text) == nil)
  }

  @Test(
    "Only UTF-8 becomes text, and all of it",
    arguments: [
      ([], ""), ([0x61], "a"), ([0xC3, 0xA9], "é"), ([0x61, 0, 0x62], "a\0b"),
      ([0xEF, 0xBF, 0xBD], "\u{FFFD}"), ([0xC3], nil), ([0x61, 0xFF, 0x62], nil),
      // An overlong form and half a surrogate pair.
      ([0xC0, 0xAF], nil), ([0xED, 0xA0, 0x80], nil),
    ] as [([UInt8], String?)]
  )
  func exactText(_ bytes: [UInt8], _ text: String?) {
    #expect(String(exactly: bytes[...]) == text)
  }

  @Test("Versions are two plain numbers", arguments: ["1", "1.0.0", "1.x", "01.0", "-1.0", "1. 0"])
  func versions(_ text: String) {
    #expect(FormatVersion(text) == nil)
    #expect(FormatVersion("1.0") == .current)
  }

  @Test(
    "A class list with a broken or repeated line is refused by its number",
    arguments: [
      ("a\tb\nc\n", "line 2"), ("a\tb\n\tc\n", "line 2"), ("a\tb\na\tc\n", "lines 1 and 2"),
    ]
  )
  func classLists(_ text: String, _ says: String) throws {
    let error = #expect(throws: RelabelError.self) { try ClassTable(parsing: text, file: "c.tsv") }
    #expect(error?.message.contains(says) == true)
    #expect(error?.location.file == "c.tsv")
    #expect(try ClassTable(parsing: "a\tb\nc\td, e\n", file: "c").entries.count == 2)
  }

  struct Dense: CustomTestStringConvertible, Sendable {
    let classes: Int
    let shape: MapShape
    var testDescription: String { "\(classes) classes to \(shape)" }
  }

  @Test(
    "A map with a score that is not finite is not reduced, wherever it stands",
    arguments: [Float.nan, .infinity, -.infinity],
    [0, 7, 8, 24, 25, 74]
  )
  func notFinite(value: Float, place: Int) {
    var dense = (0..<75).map(Float.init)
    let shape = MapShape(height: 5, width: 5, topK: 2)
    let before = TopK.reduce(dense.span, classes: 3, shape: shape)
    #expect(before != nil)
    dense[place] = value
    let after = TopK.reduce(dense.span, classes: 3, shape: shape)
    #expect(after == nil)
  }

  @Test(
    "Top-k is a stable sort of each cell",
    arguments: [
      Dense(classes: 20, shape: MapShape(height: 3, width: 5, topK: 5)),
      Dense(classes: 7, shape: MapShape(height: 2, width: 2, topK: 7)),
      Dense(classes: 1, shape: MapShape(height: 1, width: 4, topK: 1)),
      Dense(classes: 50, shape: MapShape(height: 5, width: 5, topK: 3)),
      Dense(classes: 33, shape: MapShape(height: 2, width: 4, topK: 4)),
      Dense(classes: 40, shape: MapShape(height: 3, width: 3, topK: 2)),
      Dense(classes: 300, shape: MapShape(height: 1, width: 17, topK: 5)),
      Dense(classes: 1000, shape: MapShape(height: 15, width: 15, topK: 5)),
      Dense(classes: 90, shape: MapShape(height: 15, width: 15, topK: 40)),
    ]
  )
  func topK(_ test: Dense) throws {
    let cells = test.shape.cells
    // Few distinct values, negative ones among them, so that ties are common.
    let values: [Float] = [-3, 0, 0.5, 2, -.greatestFiniteMagnitude]
    let dense = (0..<test.classes * cells).map { values[($0 * 7919 + $0 / 13) % values.count] }
    let reduced = TopK.reduce(dense.span, classes: test.classes, shape: test.shape)
    let map = try #require(reduced)
    for cell in 0..<cells {
      let sorted = (0..<test.classes).sorted { a, b in
        let (x, y) = (dense[a * cells + cell], dense[b * cells + cell])
        return x > y || (x == y && a < b)
      }
      let start = cell * test.shape.topK
      let expected = sorted.prefix(test.shape.topK)
      #expect(Array(map.classIndex[start..<start + test.shape.topK]) == expected.map(UInt32.init))
      #expect(
        Array(map.score[start..<start + test.shape.topK])
          == expected.map { dense[$0 * cells + cell] }
      )
    }
  }

  @Test("Whole-image targets are softmax of the mean, absent classes at logit 0")
  func wholeImage() throws {
    let shape = MapShape(height: 1, width: 2, topK: 2)
    let header = try Sample.header(ScoreEncoding(.float32, for: .logit), kind: .logit, shape: shape)
    let map = LabelMap(shape: shape, classIndex: [3, 1, 3, 2], score: [4, 2, 2, 1])
    let top = try LabelPooling(header, profile: .relabel).target(of: map, in: .whole).top(2)
    // By hand: means 3, 1, 0.5 and seven classes at 0.
    let total = 20.085536923187668 + 2.718281828459045 + 1.6487212707001282 + 7
    #expect(top.map(\.classIndex) == [3, 1])
    #expect(abs(Double(top[0].probability) - 20.085536923187668 / total) < 1e-7)
    #expect(abs(Double(top[1].probability) - 2.718281828459045 / total) < 1e-7)
  }
}
