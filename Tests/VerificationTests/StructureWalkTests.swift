import HDF5
import TestSupport
import Testing

@testable import Relabel

@Suite("Walk over the structure of a file")
struct StructureWalkTests {
  private let folder = TemporaryFolder()

  /// The bytes of a file with one dataset of so many chunks, each of which holds its own number.
  private func file(chunks: Int, filters: [Filter]) throws -> [UInt8] {
    let path = folder.file("a.h5")
    let description = DatasetDescription(
      type: .uint64,
      shape: [0],
      maximumShape: [nil],
      chunk: [1],
      filters: filters,
      fillValue: nil
    )
    let file = try File.create(path)
    let dataset = try file.createDataset("d", description)
    try dataset.grow(rows: chunks, of: [0])
    for chunk in 0..<chunks {
      let number = withUnsafeBytes(of: UInt64(chunk).littleEndian, Array.init)
      try dataset.writeChunk(number + (filters.isEmpty ? [] : [0, 0, 0, 0]), at: [chunk])
    }
    try dataset.close()
    try file.close()
    return try Folder.contents(path, limit: 1 << 30)
  }

  /// The numbers in the chunks that a walk found, in the order of the walk.
  private func numbers(_ findings: StructureWalk.Findings, _ bytes: [UInt8]) -> [UInt64] {
    findings.extents.filter { $0.part == .chunk }.map { extent in
      bytes[Int(extent.start)..<Int(extent.start) + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  // The ends of the index block, of direct data blocks and super blocks, and several pages.
  @Test(
    "Every chunk is found where it lies, in order",
    arguments: [0, 1, 4, 5, 20, 21, 244, 245, 1_000, 8_000, 131_060, 131_061, 140_000]
  )
  func chunks(_ count: Int) throws {
    for filters in [[.fletcher32], []] as [[Filter]] {
      let bytes = try file(chunks: count, filters: filters)
      let findings = try StructureWalk.findings(bytes)
      #expect(findings.violations.isEmpty)
      #expect(numbers(findings, bytes) == Array(0..<UInt64(count)))
      let lengths = Set(findings.extents.filter { $0.part == .chunk }.map(\.length))
      #expect(lengths == (count == 0 ? [] : [filters.isEmpty ? 8 : 12]))
      let table = try #require(findings.chunks["d"])
      let places = (0..<count).map { table[$0] }
      let starts = findings.extents.filter { $0.part == .chunk }.map(\.start)
      #expect(places.map { $0?.start } == starts)
      #expect(table[count] == nil)
      #expect(table[-1] == nil)
    }
  }

  @Test("Attributes are told apart by the bytes of their names, as the HDF5 library does")
  func namesThatAreEqualAsText() throws {
    let path = folder.file("a.h5")
    let file = try File.create(path)
    // One letter, then a letter and its accent.
    try file.setAttribute("x-\u{e9}", 1 as Int64)
    try file.setAttribute("x-e\u{301}", 2 as Int64)
    try file.setAttribute("x-f", 3 as Int64)
    try file.close()
    let findings = try StructureWalk.findings(FileBytes(path))
    #expect(findings.violations.isEmpty)
    let contents = try #require(findings.contents)
    #expect(contents.root.attributes.map(\.value) == [2, 3, 1].map { .integers([$0]) })
    #expect(try File.open(path).contents(FileContents.Limits(links: 1, attributes: 3)) == contents)
  }

  @Test("A table knows missing chunks and skipped filters, and gives up on absurd gaps")
  func tables() {
    func place(_ start: UInt64, _ skipped: UInt32 = 0) -> ChunkTable.Place {
      ChunkTable.Place(start: start, byteCount: 5, skippedFilters: skipped)
    }
    var table = ChunkTable()
    table.add(2, place(100))
    table.add(3, place(105, 4))
    #expect((0...4).map { table.compact[$0] } == [nil, nil, place(100), place(105, 4), nil])
    #expect(table.isWhole)
    table.add(1 << 40, place(110))
    #expect(!table.isWhole)
    #expect(table[1 << 40] == nil)
  }

  @Test("A changed byte is found, or lies where nothing is")
  func changedBytes() throws {
    let intact = try file(chunks: 30, filters: [.fletcher32])
    let extents = try StructureWalk.findings(intact).extents.filter { $0.part != .chunk }
    for place in stride(from: 0, to: intact.count, by: 7) {
      var bytes = intact
      bytes[place] ^= 0x10
      let isOwned = extents.contains { ($0.start..<$0.end).contains(UInt64(place)) }
      #expect(try StructureWalk.findings(bytes).violations.isEmpty == !isOwned)
    }
  }
}
