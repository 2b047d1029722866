import AnnotatorOutputs
import Relabel
import Testing

@Suite("Streams of records")
struct RecordTests {
  private func open(_ bytes: [UInt8], _ options: InputOptions = options()) throws -> AnnotatorOutput
  {
    let folder = try TemporaryFolder()
    return try AnnotatorOutput.open([folder.write("maps.rls", bytes)], options: options)
  }

  private func images(_ bytes: [UInt8]) throws -> [PendingImage] { try open(bytes).arrived }

  private func header(_ members: String) -> String {
    #"{"format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit""#
      + members + "}"
  }

  @Test("sparse and dense records of every type give the map")
  func everyType() throws {
    let scores: [Float] = [4, 3, 2, 1]
    let halves: [UInt8: [UInt16]] = [
      1: [0x4400, 0x4200, 0x4000, 0x3C00], 2: [0x4080, 0x4040, 0x4000, 0x3F80],
    ]
    var file = RecordFile()
    for (name, idBytes) in [("narrow", 2), ("wide", 4)] {
      let ids = [0, 1, 2, 3].flatMap { (id: Int) in
        idBytes == 2 ? RecordFile.number(UInt16(id)) : RecordFile.number(UInt32(id))
      }
      for type in [1, 2, 3] as [UInt8] {
        let stored = halves[type]?.flatMap(RecordFile.number) ?? ArrayFile.floats(scores)
        let head = RecordFile.Head(scoreType: type, idBytes: UInt8(idBytes))
        file.add("\(name)/\(type)", head, ids + stored)
      }
    }
    // Classes 0 and 1 lead in the first cell, 2 and 3 in the second.
    let dense: [Float] = [4, -9, 3, -9, -9, 2, -9, 1, -9, -9, -9, -9]
    file.add("dense", .dense, ArrayFile.floats(dense))
    let found = try images(file.ended())
    #expect(found.count == 7)
    #expect(found.map(\.imageIndex) == Array(0..<7))
    let shape = MapShape(height: 1, width: 2, topK: 2)
    let map = LabelMap(shape: shape, classIndex: [0, 1, 2, 3], score: scores)
    for image in found { #expect(try image.load() == map, "\(image.key)") }
    #expect(try found[6].load(wantsDense: true).dense != nil)
  }

  @Test("the header settles classes, kind, orientation and fields")
  func traits() throws {
    let text = header(#","orientation":"xy","fields":["source_label","map_extent"]"#)
    var file = RecordFile(text)
    let label = RecordFile.number(-1 as Int32)
    let extent = ArrayFile.floats([0, 0, 1, 0.5])
    let ids = [0, 1, 2, 3].flatMap { RecordFile.number(UInt16($0)) }
    file.add("a", RecordFile.Head(), label + extent + ids + ArrayFile.floats([4, 3, 2, 1]))
    let output = try open(file.ended())
    #expect(output.traits.numClasses == 6 && output.traits.scoreKind == .logit)
    #expect(output.traits.orientation == .xy)
    let image = try #require(try output.arrived.first)
    #expect(try image.load().classIndex == [0, 1, 2, 3])
  }

  static let headers: [(members: String, code: RelabelError.Code, words: String)] = [
    (#""format":"other""#, .invalidInput, "'format'"),
    (
      #""format":"relabel-stream","format_version":"1.2","num_classes":6,"score_kind":"logit""#,
      .unsupported, "version 1.0"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","score_kind":"logit""#, .invalidInput,
      "num_classes"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":0,"score_kind":"logit""#,
      .invalidInput, "num_classes"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"score""#,
      .invalidInput, "'logit', 'probability'"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit","k":5"#,
      .invalidInput, "a member 'k'"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit","fields":["map_extent","source_label"]"#,
      .invalidInput, "in this order"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit","fields":["score"]"#,
      .invalidInput, "may list"
    ),
    (
      #""format":"relabel-stream","format_version":"1.0","num_classes":6,"score_kind":"logit","fields":"map_extent""#,
      .invalidInput, "not a list"
    ),
  ]

  @Test("a wrong header is refused", arguments: headers)
  func wrongHeader(_ header: (members: String, code: RelabelError.Code, words: String)) {
    expectError(header.code, header.words, "maps.rls") {
      _ = try images(RecordFile("{\(header.members)}").ended())
    }
  }

  @Test("a header that contradicts the options is refused")
  func contradiction() {
    expectError(.usage, "number of classes is 6", "5") {
      _ = try open(RecordFile().ended(), options(numClasses: 5))
    }
    expectError(.usage, "score kind is logit", "probability") {
      _ = try open(RecordFile().ended(), options(scoreKind: .probability))
    }
    var stripping = options()
    stripping.stripComponents = 1
    expectError(.usage, "--strip-components") { _ = try open(RecordFile().ended(), stripping) }
  }

  @Test("a stream that ends early is an error, wherever it does")
  func truncated() throws {
    var file = RecordFile()
    file.addSparse("a")
    file.addSparse("b")
    let whole = file.ended()
    #expect(try images(whole).count == 2)
    for count in 8..<whole.count {
      let error = #expect(throws: RelabelError.self) { try images(Array(whole.prefix(count))) }
      #expect(error?.code == .invalidInput)
      if count > RecordFile().bytes.count {
        #expect(error?.description.contains("without its end record") == true, "\(count)")
      }
    }
  }

  @Test("an end record that counts otherwise, and what follows it, are errors")
  func wrongEnd() {
    var file = RecordFile()
    file.addSparse("a")
    expectError(.invalidInput, "counts 2 records, 1") { _ = try images(file.ended(2)) }
    expectError(.invalidInput, "bytes follow") { _ = try images(file.ended() + [0]) }
  }

  static let heads: [(RecordFile.Head, String)] = [
    (.init(kind: 4), "kind 4"), (.init(kind: 3), "left out, but not its form"),
    (.init(scoreType: 0), "score type 0"),
    (.init(scoreType: 4), "score type 4"), (.init(idBytes: 8), "id type 8"),
    (.init(kind: 2), "id type 2"), (.init(zero: 1), "value 1"),
  ]

  @Test("a record of no known form ends the stream", arguments: heads)
  func wrongHead(_ head: (head: RecordFile.Head, words: String)) {
    var file = RecordFile()
    file.add("a", head.head, [UInt8](repeating: 0, count: 24))
    expectError(.invalidInput, "record 0", head.words) { _ = try images(file.ended()) }
  }

  @Test("an image that its annotator leaves out fails alone, with the reason")
  func leftOut() throws {
    var file = RecordFile(header(#","fields":["source_label"]"#))
    let label = RecordFile.number(1 as Int32)
    let ids = [0, 1, 2, 3].flatMap { RecordFile.number(UInt16($0)) }
    file.add("a", .init(), label + ids + ArrayFile.floats([4, 3, 2, 1]))
    file.add("b", .leftOut, Array("broken JPEG".utf8))
    let found = try images(file.ended())
    #expect(found.map(\.key) == ["a", "b"] && found.map(\.imageIndex) == [0, 1])
    #expect(try found[0].load().shape.topK == 2)
    expectError(.invalidInput, "left it out: broken JPEG", "image 'b'") { _ = try found[1].load() }
    file.add("c", .leftOut, [0xFF])
    expectError(.invalidInput, "record 2", "not UTF-8") { _ = try images(file.ended()) }
  }

  static let maps: [(RecordFile.Head, Int, RelabelError.Code, String)] = [
    (.init(height: 0), 24, .invalidInput, "the grid is 0×2"),
    (.init(width: 4097), 24, .invalidInput, "4097"),
    (.init(entries: 0), 24, .invalidInput, "k is 0"),
    (.init(entries: .max), 24, .invalidInput, "k is"),
    (.init(), 23, .invalidInput, "23 bytes of labels"),
    (.init(), 25, .invalidInput, "25 bytes of labels"),
    (.init(kind: 2, idBytes: 0, entries: 5), 40, .invalidInput, "scores 5 classes"),
    (
      .init(kind: 2, idBytes: 0, height: 99, width: 99, entries: .max), 24, .unsafeInput, "larger"
    ),
  ]

  @Test("a map with wrong sizes fails alone", arguments: maps)
  func wrongSizes(
    _ map: (head: RecordFile.Head, bytes: Int, code: RelabelError.Code, words: String)
  ) throws {
    var file = RecordFile()
    file.add("bad", map.head, [UInt8](repeating: 0, count: map.bytes))
    file.addSparse("good")
    let found = try images(file.ended())
    #expect(found.map(\.key) == ["bad", "good"])
    expectError(map.code, map.words, "image 'bad'", "[0]") { _ = try found[0].load() }
    #expect(try found[1].load().shape.topK == 2)
  }

  @Test("keys are checked as those of files")
  func keys() throws {
    var file = RecordFile()
    for key in ["a", "../b", "a", ""] { file.addSparse(key) }
    let found = try images(file.ended())
    #expect(try found[0].load().shape.topK == 2)
    for place in [1, 2, 3] { #expect(throws: RelabelError.self) { try found[place].load() } }
    file.add(key: [0xFF], .init(), [UInt8](repeating: 0, count: 24))
    expectError(.invalidInput, "record 4", "not UTF-8") { _ = try images(file.ended()) }
  }

  @Test("changed bytes give an image, a refusal or an error, never a crash")
  func mutations() throws {
    var file = RecordFile(header(#","fields":["source_label"]"#))
    let ids = [0, 1, 2, 3].flatMap { RecordFile.number(UInt16($0)) }
    for key in ["a", "b/c"] {
      file.add(
        key,
        .init(),
        RecordFile.number(3 as Int32) + ids + ArrayFile.floats([4, 3, 2, 1])
      )
    }
    for bytes in flippedCopies(of: file.ended()) {
      // What begins like a stream is judged as one.
      guard bytes.starts(with: file.bytes.prefix(8)) else { continue }
      do {
        for image in try images(bytes) { _ = try? image.load() }
      } catch is RelabelError {}
    }
  }
}
