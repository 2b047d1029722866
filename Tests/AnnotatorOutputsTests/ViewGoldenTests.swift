import AnnotatorOutputs
import FoundationEssentials
import Relabel
import Testing

@Suite("Labels of crops are read as torch and NumPy read them")
struct ViewGoldenTests {
  private struct Row: Decodable {
    let key: String
    let index: Int64
    let ids: [UInt32]
    let scoreBits: [UInt32]
    let facts: [String]
    let operations: String

    enum CodingKeys: String, CodingKey {
      case key, index, ids, facts, operations
      case scoreBits = "score_bits"
    }
  }

  private struct Folder: Decodable {
    let rows: [Row]
    let kind: String?
    let size: Bool?
    let classes: Int?
    let pictures: Bool?
  }

  static let names = ["sre2l", "lpld", "hald", "edc", "lpqld", "fkd", "tinyvit", "mldr"]

  private static func folder(_ name: String) throws -> Folder {
    let all = try JSONDecoder().decode(
      [String: Folder].self,
      from: Data(Fixtures.bytes("views/expected.json"))
    )
    return try #require(all[name])
  }

  private static func options(_ folder: Folder) -> InputOptions {
    ViewFolders.options(
      folder.kind.flatMap(ScoreKind.init),
      classes: folder.classes,
      hasSize: folder.size == true,
      hasPictures: folder.pictures == true
    )
  }

  @Test("as the oracle", arguments: names)
  func golden(_ name: String) throws {
    let folder = try Self.folder(name)
    let output = try AnnotatorOutput.open(
      [Fixtures.path("views/\(name)")],
      options: Self.options(folder)
    )
    let columns = output.traits.columns.map(\.name)
    let images = try output.arrived
    #expect(images.count == folder.rows.count)
    for (image, row) in zip(images, folder.rows) {
      let map = try image.load()
      #expect(image.key == row.key)
      #expect(image.imageIndex == row.index)
      #expect(map.classIndex == row.ids, "\(image.source)")
      #expect(map.score.map(\.bitPattern) == row.scoreBits, "\(image.source)")
      var facts = image.facts
      if columns.last == "operations" {
        let text = facts.removeLast().prefix { $0 != 0 }
        #expect(String(decoding: text, as: UTF8.self) == row.operations)
      } else {
        #expect(row.operations.isEmpty)
      }
      let hex = facts.map { bytes in
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      }
      #expect(hex == row.facts, "\(columns)")
    }
  }

  @Test("the name of the dialect gives the same", arguments: names)
  func named(_ name: String) throws {
    let folder = try Self.folder(name)
    var options = Self.options(folder)
    options.dialect = name == "mldr" ? "ML-DR" : name
    let output = try AnnotatorOutput.open([Fixtures.path("views/\(name)")], options: options)
    #expect(output.traits.dialects == [name == "mldr" ? "ml-dr" : name])
    let count = try output.arrived.count
    #expect(count == folder.rows.count)
  }

  @Test func settings() throws {
    func views(_ name: String) throws -> (SourceTraits, ViewTraits) {
      let options = Self.options(try Self.folder(name))
      let output = try AnnotatorOutput.open([Fixtures.path("views/\(name)")], options: options)
      return (output.traits, try #require(output.traits.views))
    }
    let (sre2l, list) = try views("sre2l")
    #expect(sre2l.numClasses == 5 && sre2l.scoreKind == nil)
    #expect(list.rowOrder == .replay && list.cellOrder == .class && list.encoding == .float16)
    #expect(list.facts.boxType == .float32 && list.rowsTogether == 2)
    #expect(
      list.document["chain"] == .array(["crop", "resize", "flip", "cutmix"].map(JSON.string))
    )
    #expect(list.document["source"]?["box_type"] == .string("numpy.int64"))
    #expect(list.document["source"]?["numpy"] == .string("numpy._core"))
    let (_, hald) = try views("hald")
    #expect(hald.document["source"]?["numpy"] == .string("numpy.core"))
    let (_, edc) = try views("edc")
    #expect(edc.facts.boxType == .pixels)
    let (_, lpqld) = try views("lpqld")
    #expect(lpqld.cellOrder == .source && lpqld.facts.boxType == .float16)
    #expect(lpqld.document["operations_schema"] == .string("relabel-views/lpqld"))
    #expect(lpqld.document["source"]?["box_type"] == .string("torch.uint8"))
    let (fkd, files) = try views("fkd")
    #expect(fkd.numClasses == nil && files.rowOrder == .image)
    #expect(files.document["source"]?["folder"] == .string("imagenet/train"))
    let (mldr, config) = try views("mldr")
    #expect(mldr.scoreKind == .probability && mldr.numClasses == 5)
    #expect(config.facts.size == ViewFacts.Size(height: 224, width: 224))
    let text = try #require(config.document["source"]?["config"]?.string)
    #expect(try JSON(parsing: Array(text.utf8))["reinforce"]?["topk"] == .integer(2))
  }

  @Test func wordsOfTheUser() throws {
    var options = ViewFolders.options(.logit, hasSize: true)
    options.views.interpolation = "bicubic"
    options.views.antialias = true
    options.views.teacherMode = "train"
    options.views.temperature = 20
    options.views.labelType = "marginal_smoothing_k5"
    let output = try AnnotatorOutput.open([Fixtures.path("views/sre2l")], options: options)
    let views = try #require(output.traits.views)
    #expect(views.temperature == 20)
    #expect(views.document["interpolation"] == .string("bicubic"))
    #expect(views.document["antialias"] == .bool(true))
    #expect(views.document["teacher_mode"] == .string("train"))
    #expect(views.document["source"]?["label_type"] == .string("marginal_smoothing_k5"))
  }

  @Test func numbersAreKeysWithoutAList() throws {
    var options = ViewFolders.options(.logit)
    options.imageList = nil
    let images = try AnnotatorOutput.open([Fixtures.path("views/lpld")], options: options).arrived
    #expect(images.map(\.key) == ["2", "0"])
    #expect(images.map(\.imageIndex) == [2, 0])
  }

  @Test func topKKeepsTheBest() throws {
    var options = ViewFolders.options(.logit)
    options.topK = 2
    let output = try AnnotatorOutput.open([Fixtures.path("views/lpld")], options: options)
    #expect(output.traits.views?.cellOrder == .score)
    for image in try output.arrived {
      let map = try image.load()
      #expect(map.shape.topK == 2 && map.score[0] >= map.score[1])
    }
  }
}
