import AnnotatorOutputs
import Relabel
import Testing

@Suite("The containers of torch.save")
struct TorchContainerTests {
  static let noMaps: [(String, RelabelError.Code, String)] = [
    ("os-system", .unsafeInput, "system'; it was not executed"),
    ("os-system-beside", .unsafeInput, "system'; it was not executed"),
    ("dictionary", .invalidInput, "holds a dictionary"),
    ("int64", .invalidInput, "torch.LongStorage"),
    ("three-axes", .invalidInput, "[2, 3, 4]"),
    ("ids-not-whole", .invalidInput, "is not a class id"),
    ("planes-swapped", .invalidInput, "plane 0 of the tensor holds the scores"),
  ]

  @Test("a Parameter is read as the tensor that it wraps", arguments: ["zip", "legacy"])
  func parameter(_ container: String) throws {
    let map = try onlyImage(Fixtures.path("bad/parameter-\(container).pt")).load()
    // The same tensor, turned over, is refused for what its planes hold: it is the map of that file.
    #expect(map.classIndex.count == map.score.count && map.shape.topK > 0)
  }

  @Test("files made by torch that are no map", arguments: noMaps)
  func noMap(_ name: String, _ code: RelabelError.Code, _ message: String) {
    for container in ["zip", "legacy"] {
      let path = Fixtures.path("bad/\(name)-\(container).pt")
      expectError(code, message, path, "image '\(name)-\(container)'") {
        _ = try onlyImage(path).load()
      }
    }
  }

  @Test(
    "zip files that torch would not write",
    arguments: [
      ("big-endian", "not little-endian"), ("no-pickle", "no data.pkl"),
      ("no-storage", "lacks the tensor's storage"), ("short-storage", "fewer than its"),
      ("other-folder", "not laid out"), ("pickle-tail", "trailing bytes"),
    ]
  )
  func badZip(_ name: String, _ message: String) {
    expectError(.invalidInput, message) {
      _ = try onlyImage(Fixtures.path("bad/\(name)-zip.pt")).load()
    }
  }

  /// A legacy file with one thing wrong.
  struct Fault: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: String
    let change: @Sendable (inout LegacyFile) -> Void

    init(
      _ name: String,
      _ message: String,
      _ change: @escaping @Sendable (inout LegacyFile) -> Void
    ) {
      testDescription = name
      self.message = message
      self.change = change
    }
  }

  static let faults: [Fault] = [
    Fault("magic", "not a file written by torch.save") { $0.magic[9] = 1 },
    Fault("protocol", "protocol is not 1001") { $0.torchProtocol = 1000 },
    Fault("byte order", "not little-endian") { $0.littleEndian = false },
    Fault("second storage", "storages that its tensor doesn't use") { $0.keys = ["7", "8"] },
    Fault("other storage", "storages that its tensor doesn't use") { $0.keys = ["8"] },
    Fault("storage view", "view of another") { $0.view = true },
    Fault("trailing byte", "1 trailing bytes") { $0.tail = [0] },
    Fault("short storage", "truncated") { $0.storage.removeLast() },
    Fault("counted", "its description says 48") { $0.counted = 49 },
    Fault("offset past the end", "reaches element 48") { $0.offset = 1 },
    Fault("negative offset", "reaches element") { $0.offset = -1 },
    Fault("small storage", "reaches element 47") {
      $0.declared = 47
      $0.storage.removeLast(4)
    },
    Fault("stride past the end", "reaches element 48") { $0.strides[0] = 25 },
    Fault("negative stride", "negative") { $0.strides[3] = -1 },
    Fault("huge stride", "reaches element") { $0.strides[0] = .max - 23 },
    Fault("overflowing sum", "overflow") { $0.strides[0] = .max },
    Fault("overflowing product", "overflow") { $0.strides[2] = .max },
    Fault("overflowing shape", "overflows") { $0.sizes[1] = .max },
    Fault("negative size", "overflows") { $0.sizes[1] = -2 },
    Fault("huge storage", "overflows") { $0.declared = .max / 2 },
    Fault("storage that is not there", "truncated") { $0.declared = 1 << 40 },
    Fault("type", "torch.IntStorage; a map is") { $0.storageType = "IntStorage" },
  ]

  @Test("legacy files that torch would not write", arguments: faults)
  func badLegacy(_ fault: Fault) {
    var file = LegacyFile()
    fault.change(&file)
    expectError(.invalidInput, fault.message) { _ = try load(file) }
  }

  @Test func neitherContainer() {
    expectError(.invalidInput, "not a file written by torch.save") { _ = try load([]) }
    expectError(.invalidInput, "not a file written by torch.save") { _ = try load([1, 2, 3]) }
  }

  @Test func flippedByteFailsTheChecksum() throws {
    var bytes = try Fixtures.bytes("pt/zip-float32.pt")
    // Scores start on the boundary of 64 bytes after the header of the member data/0.
    let name = Array("/data/0".utf8)
    let place = try #require(
      bytes.indices.first { bytes[$0...].starts(with: name) }.map { ($0 + 7 + 64) & ~63 }
    )
    bytes[place + 2] ^= 1
    expectError(.invalidInput, "damaged", "CRC") { _ = try load(bytes) }
  }

  @Test func bombIsNotInflated() {
    var zip = ZipFile()
    zip.add("map/data.pkl", [1, 2, 3], declaring: 3_000_000_000)
    expectError(.unsafeInput, "zip bomb") { _ = try load(zip.bytes) }
  }

  @Test("every truncation is an error", arguments: ["zip-float32", "legacy-float32"])
  func truncations(_ name: String) throws {
    let bytes = try Fixtures.bytes("pt/\(name).pt")
    let folder = try TemporaryFolder()
    for length in bytes.indices {
      let path = try folder.write("map.pt", Array(bytes[..<length]))
      let error = #expect(throws: RelabelError.self) { try onlyImage(path).load() }
      #expect(error?.code == .invalidInput, "\(length) bytes")
    }
  }

  @Test(
    "flipped bytes give an error or a map",
    arguments: ["zip-float32", "legacy-float16-strided"]
  )
  func flips(_ name: String) throws {
    let bytes = try Fixtures.bytes("pt/\(name).pt")
    let folder = try TemporaryFolder()
    for flipped in flippedCopies(of: bytes) {
      let path = try folder.write("map.pt", flipped)
      do {
        let map = try onlyImage(path).load()
        #expect(map.classIndex.count == map.shape.entries)
      } catch let error as RelabelError {
        #expect([.invalidInput, .unsafeInput, .usage].contains(error.code), "\(error)")
      }
    }
  }
}
