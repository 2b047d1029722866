import AnnotatorOutputs
import FoundationEssentials
import Relabel
import Testing

/// The committed files in `Fixtures/` and what torch and numpy read in them.
enum Fixtures {
  struct Map: Decodable {
    let shape: [Int]
    let classIndex: [UInt32]
    let scoreBits: [UInt32]

    enum CodingKeys: String, CodingKey {
      case shape
      case classIndex = "class_index"
      case scoreBits = "score_bits"
    }

    var labelMap: LabelMap {
      LabelMap(
        shape: MapShape(height: shape[0], width: shape[1], topK: shape[2]),
        classIndex: classIndex,
        score: scoreBits.map { Float(bitPattern: $0) }
      )
    }
  }

  private struct Member: Decodable {
    let key: String
    let map: Map
  }

  private struct Document: Decodable {
    let files: [String: [Map]]
    let tar: [Member]
  }

  static let folder: String = {
    let parts = #filePath.split(separator: "/").dropLast(2)
    return "/" + parts.joined(separator: "/") + "/Fixtures"
  }()

  private static let document: Document = {
    do {
      return try JSONDecoder().decode(Document.self, from: Data(bytes("expected.json")))
    } catch {
      Issue.record("expected.json can't be read: \(error)")
      return Document(files: [:], tar: [])
    }
  }()

  /// The files of one kind, by name.
  static func names(_ prefix: String) -> [String] {
    document.files.keys.filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// The maps in a file.
  static func maps(_ name: String) throws -> [LabelMap] {
    try #require(document.files[name]).map(\.labelMap)
  }

  /// The map in the tar files with exactly this key.
  static func tarMap(_ key: String) throws -> LabelMap {
    // `==` takes `é` and `e` + accent for the same.
    let member = document.tar.first { $0.key.utf8.elementsEqual(key.utf8) }
    return try #require(member).map.labelMap
  }

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path(name))))
  }
}

/// A folder that goes away with its last use.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path() + "relabel-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, with the folders above it, and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let full = "\(path)/\(name)"
    let parent = full.split(separator: "/").dropLast().joined(separator: "/")
    try FileManager.default.createDirectory(
      atPath: "/" + parent,
      withIntermediateDirectories: true
    )
    try Data(bytes).write(to: URL(filePath: full))
    return full
  }
}

/// Options for fixtures: k = 2, because they have six classes.
func options(
  topK: Int? = 2,
  numClasses: Int? = nil,
  scoreKind: ScoreKind? = nil,
  imageList: [String]? = nil
) -> InputOptions {
  InputOptions(
    topK: topK,
    numClasses: numClasses,
    scoreKind: scoreKind,
    imageList: imageList,
    spoolDirectory: FileManager.default.temporaryDirectory.path()
  )
}

extension AnnotatorOutput {
  /// The images of a listing.
  var listed: [PendingImage] {
    get throws {
      guard case .listed(let images) = images else {
        Issue.record("the images are arriving, not listed")
        return []
      }
      return try images.all()
    }
  }

  /// The images of a stream, all of them.
  var arrived: [PendingImage] {
    get throws {
      let stream = try stream
      var images: [PendingImage] = []
      while let image = try stream.next() { images.append(image) }
      return images
    }
  }

  var stream: ArrivalStream {
    get throws {
      guard case .arriving(let stream) = images else {
        throw RelabelError(.internalFault, "the images are listed, not arriving")
      }
      return stream
    }
  }
}

/// The only image of an input.
func onlyImage(_ path: String, _ options: InputOptions = options()) throws -> PendingImage {
  let images = try AnnotatorOutput.open([path], options: options).listed
  #expect(images.count == 1)
  return try #require(images.first)
}

/// Expects an error with the code whose text holds every part.
func expectError(
  _ code: RelabelError.Code,
  _ parts: String...,
  location: SourceLocation = #_sourceLocation,
  from body: () throws -> Void
) {
  let error = #expect(throws: RelabelError.self, sourceLocation: location) { try body() }
  guard let error else { return }
  #expect(error.code == code, "\(error)", sourceLocation: location)
  for part in parts {
    #expect(error.description.contains(part), sourceLocation: location)
  }
  #expect(!error.description.contains("\n"), sourceLocation: location)
}

extension SourceTraits {
  /// What files of the ReLabel dialect settle, by convention alone.
  static let reLabelFiles = SourceTraits(
    scoreKind: .logit,
    numClasses: 1000,
    isReLabelDialect: true,
    dialects: ["ReLabel tensor"],
    isKindConvention: true,
    areClassesConvention: true
  )

  /// What the dense fixtures settle.
  static let denseFixtures = SourceTraits(
    scoreKind: nil,
    numClasses: 6,
    isReLabelDialect: false,
    dialects: ["dense array"]
  )
}
