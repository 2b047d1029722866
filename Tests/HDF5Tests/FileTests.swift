import HDF5
import RelabelFormat
import TestSupport
import Testing

@Suite("HDF5 files")
struct FileTests {
  private let folder = TemporaryFolder()

  /// A small chunked dataset of a type, with a fill value of all ones.
  private func description(
    _ type: ElementType,
    filters: [Filter] = [.fletcher32]
  ) -> DatasetDescription {
    DatasetDescription(
      type: type,
      shape: [0, 3],
      maximumShape: [nil, 3],
      chunk: [2, 3],
      filters: filters,
      fillValue: [UInt8](repeating: 0xFF, count: type.size)
    )
  }

  @Test("A missing file is named, with the system's reason")
  func missingFile() throws {
    let path = folder.file("missing.h5")
    let error = #expect(throws: HDF5Error.self) { _ = try File.open(path) }
    #expect(error?.object == path)
    #expect(error?.call == "H5Fopen")
    #expect(error?.systemError == 2)
    #expect(error?.frames.isEmpty == false)
  }

  @Test(
    "A dataset's description survives the file",
    arguments: [
      ElementType.uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .float16,
      .float32, .float64,
      .utf8(bytes: 7),
    ]
  )
  func descriptionSurvives(_ type: ElementType) throws {
    let path = folder.file("types.h5")
    let filters: [Filter] = [.shuffle, .deflate(level: 4), .fletcher32]
    let file = try File.create(path)
    let dataset = try file.createDataset("d", description(type, filters: filters))
    try dataset.grow(rows: 5, of: [0, 3])
    try dataset.close()
    try file.close()

    let read = try File.open(path).openDataset("d").describe()
    #expect(read.type == type)
    #expect(read.storage == .chunked)
    #expect(read.shape == [5, 3])
    #expect(read.maximumShape == [nil, 3])
    #expect(read.chunk == [2, 3])
    #expect(read.filters == filters)
    #expect(read.fillValue == [UInt8](repeating: 0xFF, count: type.size))
    #expect(read.filtersPartialChunks)
  }

  @Test("A raw chunk comes back byte for byte, an unwritten one as nothing")
  func rawChunks() throws {
    let path = folder.file("chunks.h5")
    let stored: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    let file = try File.create(path)
    let dataset = try file.createDataset("d", description(.uint8))
    try dataset.grow(rows: 4, of: [0, 3])
    try dataset.writeChunk(stored, at: [0, 0])
    try dataset.close()
    try file.close()

    let read = try File.open(path).openDataset("d")
    let whole = try read.readChunk(at: [0, 0], limit: 10)
    #expect(whole == .stored(bytes: stored, skippedFilters: 0))
    let missing = try read.readChunk(at: [2, 0], limit: 10)
    #expect(missing == .missing)
    let oversized = try read.readChunk(at: [0, 0], limit: 9)
    #expect(oversized == .oversized(bytes: 10))
  }

  @Test("Attributes keep type and value")
  func attributes() throws {
    let path = folder.file("attributes.h5")
    let file = try File.create(path)
    try file.setAttribute("text", "größer")
    try file.setAttribute("whole", Int64(-7))
    try file.setAttribute("double", 0.1)
    try file.setAttribute("float", Float(0.25))
    try file.setAttribute("box", [Float(0), 0.5, 1])
    try file.setAttribute("byte", .uint8, bytes: [255])
    try file.close()

    let read = try File.open(path)
    #expect(try read.attributeNames() == ["box", "byte", "double", "float", "text", "whole"])
    #expect(try read.attribute("text")?.value == .string(Array("größer".utf8)))
    #expect(try read.attribute("text")?.type == .utf8(bytes: 8))
    #expect(try read.attribute("whole")?.value == .integers([-7]))
    #expect(try read.attribute("double")?.value == .floats([0.1]))
    #expect(try read.attribute("float")?.type == .float32)
    #expect(try read.attribute("box")?.shape == [3])
    #expect(try read.attribute("byte")?.value == .integers([255]))
    #expect(try read.attribute("none") == nil)
  }

  @Test("A hundred attributes and links stay in the object header")
  func compactStorage() throws {
    let path = folder.file("compact.h5")
    let file = try File.create(path)
    for number in 0..<100 {
      try file.setAttribute("a\(number)", [Float](repeating: 1, count: 100))
      let dataset = try file.createDataset("d\(number)", description(.uint8))
      try dataset.setAttribute("axes", "image y")
    }
    try file.close()
    let read = try File.open(path)
    #expect(try read.hasCompactAttributes())
    #expect(try read.hasCompactLinks())
    #expect(try read.links().count == 100)
    #expect(try read.links().allSatisfy { $0.kind == .dataset })
  }

  @Test("An object left open makes a writer's close fail instead of passing unseen")
  func semiClose() throws {
    let file = try File.create(folder.file("open.h5"))
    let dataset = try file.createDataset("d", description(.uint8))
    // A non-copyable value can't be consumed within the macro's closure.
    var failure: HDF5Error?
    do { try file.close() } catch { failure = error }
    #expect(failure?.call == "H5Fclose")
    try dataset.close()
  }

  @Test("Threads take turns")
  func threads() async throws {
    let path = folder.file("threads.h5")
    let file = try File.create(path)
    for number in 0..<20 { try file.setAttribute("a\(number)", Int64(number)) }
    try file.close()
    try await withThrowingTaskGroup(of: Int64.self) { group in
      for number in 0..<20 {
        group.addTask {
          let value = try File.open(path).attribute("a\(number)")?.value
          guard case .integers(let values)? = value else { return -1 }
          return values[0] - Int64(number)
        }
      }
      for try await difference in group { #expect(difference == 0) }
    }
  }
}
