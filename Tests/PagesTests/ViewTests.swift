import Relabel
import RelabelPages
import RelabelSystem
import RelabelVerification
import TestSupport
import Testing

/// What `relabel view` draws with.
@Suite("View")
struct ViewTests {
  private static let kinds: [ScoreKind] = [.logit, .probability, .logProbability]

  @Test("The probability of a cell's best class is that of its own target", arguments: kinds)
  func bestCells(kind: ScoreKind) throws {
    let shape = MapShape(height: 1, width: 1, topK: 3)
    let entries: [(ids: [UInt32], scores: [Float])] = [
      ([4, 1, 7], [0.5, 0.25, 0.125]), ([7, 4, 1], [0.125, 0.5, 0.5]),
      ([0, 2, 1], [1e-3, 1e-4, 0]),
    ]
    for (ids, scores) in entries {
      for classes in [3, 9] where classes > Int(ids.max() ?? 0) {
        let scores = kind == .logProbability ? scores.map { $0 - 1.5 } : scores
        var header = try Self.header(kind, shape, classes: classes)
        header.temperature = kind == .logit ? 0.5 : 1
        let map = LabelMap(shape: shape, classIndex: ids, score: scores)
        let best = BestCells(map, header)
        let top = try LabelPooling(header, profile: .relabel).target(of: map, in: .whole).top(1)[0]
        #expect(best.classIndex == [top.classIndex])
        #expect(abs(best.probability[0] - Double(top.probability)) < 1e-6)
      }
    }
  }

  @Test("The best class of a cell of factors is that of all classes", arguments: [1.0, 0.25])
  func bestCellsOfFactors(temperature: Double) throws {
    let shape = MapShape(height: 1, width: 1, topK: 2)
    var header = try Self.header(.logit, shape, classes: 5)
    header.declareFactors()
    header.temperature = temperature
    // Classes 1 and 3 are equal.
    let numbers: [UInt8] = [127, 137, 120, 137, 100, 127, 130, 127, 130, 254]
    for amounts in [[1.0, 2], [3, 0], [-1, 0], [-4, -3]] {
      var map = LabelMap(shape: shape, classIndex: [0, 1], score: amounts.map { Float($0) })
      map.factors = ClassFactors(numClasses: 5, numbers: numbers, scale: [0.125, 0.0625])
      let found = BestCells(map, header)
      let logits = (0..<5).map { id in
        (Double(numbers[id]) - 127) * 0.125 * amounts[0]
          + (Double(numbers[5 + id]) - 127) * 0.0625 * amounts[1]
      }
      let best = logits.indices.max { (logits[$0], -$0) < (logits[$1], -$1) } ?? 0
      let powers = logits.map { Mathematics.exp($0 / temperature) }
      #expect(found.classIndex == [UInt32(best)] && map.bestOfCells == found.classIndex)
      #expect(abs(found.probability[0] - powers[best] / powers.reduce(0, +)) < 1e-6)
    }
  }

  private static func header(
    _ kind: ScoreKind,
    _ shape: MapShape,
    classes: Int
  ) throws -> ShardHeader {
    ShardHeader(
      numClasses: classes,
      scoreKind: kind,
      shape: shape,
      encoding: try ScoreEncoding(.float32, for: kind),
      keyBytes: 8,
      buildID: String(repeating: "0", count: 64),
      metadata: try MetadataDocument(annotator: nil, classes: nil)
    )
  }

  @Test("The most frequent classes have colours, the others share one")
  func legend() {
    let legend = Legend((0..<10).flatMap { [UInt32](repeating: $0, count: 10 - Int($0)) })
    #expect(legend.own.map(\.classIndex) == Array(0..<8))
    #expect(legend.own[0].share == 10.0 / 55)
    #expect(legend.others?.classes == 2 && legend.others?.share == 3.0 / 55)
    #expect(Legend([3]).others == nil)
    #expect(Palette.text((0, 15, 255)) == "#000fff")
  }

  @Test("A picture is found where its key says, and nowhere else")
  func pictures() throws {
    let folder = TemporaryFolder()
    for name in ["b.c.JPG", "b.c.txt", ".d.png"] {
      try PublishedFile.write([0], to: folder.file(name))
    }
    let found = try ShownPicture.find("b.c", in: [folder.path])
    #expect(try found.get() == folder.file("b.c.JPG"))
    for key in ["b", "../b.c", "nothing/b.c", "b.c.JPG", "x/../b.c", folder.file("b.c")] {
      #expect(throws: RelabelError.self) {
        try ShownPicture.find(key, in: [folder.path]).get()
      }
    }
  }

  @Test("EXIF of any bytes is read or left", arguments: 0..<64)
  func exif(cut: Int) throws {
    // A JPEG that ends in its EXIF: little-endian, one entry, orientation 6.
    let tiff: [UInt8] =
      Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
    let segment = Array("Exif\0\0".utf8) + tiff
    let length = segment.count + 2
    var bytes: [UInt8] =
      [0xFF, 0xD8, 0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 0xFF)] + segment
    // The smallest frame that has a size.
    bytes += [0xFF, 0xC0, 0, 11, 8, 0, 20, 0, 40, 1, 1, 0x11, 0] + [UInt8](repeating: 0, count: 30)
    let folder = TemporaryFolder()
    try PublishedFile.write(bytes, to: folder.file("a.jpg"))
    let picture = try ShownPicture(folder.file("a.jpg"))
    #expect(picture.asksForRotation && picture.size == PictureSize(height: 20, width: 40))
    try PublishedFile.write(Array(bytes.prefix(cut)), to: folder.file("a.jpg"))
    // Cut anywhere it is a picture without a size, or one that asks for what it can still say.
    if let cut = try? ShownPicture(folder.file("a.jpg")) { #expect(cut.size == picture.size) }
  }
}
