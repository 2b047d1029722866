import AnnotatorOutputs
import Relabel
import Testing

@Suite("The containers of torch.save")
struct TorchContainerTests {
  @Test("files made by torch that are no map", arguments: [
    ("os-system", RelabelError.Code.unsafeInput, "system'; it was not executed"),
    ("os-system-beside", .unsafeInput, "system'; it was not executed"),
    ("parameter", .unsafeInput, "'torch._utils._rebuild_parameter'; it was not executed"),
    ("dictionary", .invalidInput, "holds a dictionary"),
    ("int64", .invalidInput, "torch.LongStorage"),
    ("three-axes", .invalidInput, "[2, 3, 4]"),
    ("ids-not-whole", .invalidInput, "is not a class id"),
    ("planes-swapped", .invalidInput, "plane 0 of the tensor holds the scores"),
  ])
  func noMap(_ name: String, _ code: RelabelError.Code, _ message: String) {
    for container in ["zip", "legacy"] {
      let path = Fixtures.path("bad/\(name)-\(container).pt")
      expectError(code, message, path, "image '\(name)-\(container)'") {
        _ = try onlyImage(path).load()
      }
    }
  }

  @Test("zip files that torch would not write", arguments: [
    ("big-endian", "not little-endian"), ("no-pickle", "no data.pkl"),
    ("no-storage", "lacks the tensor's storage"), ("short-storage", "fewer than its"),
    ("other-folder", "not laid out"), ("pickle-tail", "trailing bytes"),
  ])
  func badZip(_ name: String, _ message: String) {
    expectError(.invalidInput, message) {
      _ = try onlyImage(Fixtures.path("bad/\(name)-zip.pt")).load()
    }
  }

  @Test("legacy files that torch would not write", arguments: [
    (\LegacyFile.magic, [1, 2, 3, 4, 5, 6, 7, 8, 9], "not a file written by torch.save"),
    (\LegacyFile.tail, [0], "1 trailing bytes"),
    (\LegacyFile.storage, [0], "truncated"),
  ])
  func badBytes(_ part: WritableKeyPath<LegacyFile, [UInt8]>, _ value: [UInt8], _ message: String) {
    var file = LegacyFile()
    file[keyPath: part] = value
    expectError(.invalidInput, message) { _ = try load(file) }
  }

  @Test("tensors that do not fit their storage", arguments: [
    (\LegacyFile.torchProtocol, 1000, "protocol"),
    (\LegacyFile.offset, 1, "reaches element 48"),
    (\LegacyFile.offset, -1, "reaches element"),
    (\LegacyFile.declared, 47, "reaches element 47"),
    (\LegacyFile.strides[0], 25, "reaches element 48"),
    (\LegacyFile.strides[3], -1, "negative"),
    (\LegacyFile.strides[0], Int.max, "reaches element"),
    (\LegacyFile.strides[1], Int.max, "reaches element"),
    (\LegacyFile.strides[2], Int.max, "overflow"),
    (\LegacyFile.sizes[1], Int.max, "overflows"),
    (\LegacyFile.sizes[1], -2, "overflows"),
    (\LegacyFile.counted, 49, "its description says 48"),
  ])
  func badNumber(_ part: PartialKeyPath<LegacyFile>, _ value: Int, _ message: String) {
    var file = LegacyFile()
    if let part = part as? WritableKeyPath<LegacyFile, Int> { file[keyPath: part] = value }
    if let part = part as? WritableKeyPath<LegacyFile, Int?> { file[keyPath: part] = value }
    expectError(.invalidInput, message) { _ = try load(file) }
  }

  @Test func hugeStorageIsNotAllocated() {
    var file = LegacyFile()
    file.declared = .max / 2
    expectError(.invalidInput, "overflows") { _ = try load(file) }
    file.declared = 1 << 40
    expectError(.invalidInput, "truncated") { _ = try load(file) }
  }

  @Test func bigEndianLegacyFile() {
    var file = LegacyFile()
    file.littleEndian = false
    expectError(.invalidInput, "not little-endian") { _ = try load(file) }
  }

  @Test func otherStorages() {
    var file = LegacyFile()
    file.keys = ["7", "8"]
    expectError(.invalidInput, "storages that its tensor doesn't use") { _ = try load(file) }
    file = LegacyFile()
    file.view = true
    expectError(.invalidInput, "view of another") { _ = try load(file) }
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

  @Test("flipped bytes give an error or a map", arguments: ["zip-float32", "legacy-float16-strided"])
  func flips(_ name: String) throws {
    let bytes = try Fixtures.bytes("pt/\(name).pt")
    let folder = try TemporaryFolder()
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var flipped = bytes
      flipped[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8)
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
