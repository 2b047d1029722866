import Glibc
import Relabel
import TestSupport
import Testing

@Suite("Bytes hashed on the way")
struct HashedBytesTests {
  /// Places and sizes of reads in a file of 3,000,001 bytes.
  enum Reads: String, CaseIterable {
    case none, inOrder, overlapping, gaps, backwards, farAhead, large, all

    var places: [(Int, Int)] {
      switch self {
      case .none: []
      case .inOrder: stride(from: 0, to: 2_990_000, by: 4_999).map { ($0, 4_999) }
      case .overlapping: stride(from: 100, to: 2_990_000, by: 3_000).map { ($0, 7_000) }
      case .gaps: stride(from: 5_000, to: 2_900_000, by: 90_000).map { ($0, 1) }
      case .backwards: stride(from: 2_990_000, to: 0, by: -70_000).map { ($0, 10_000) }
      case .farAhead: [(0, 10), (2_999_990, 11), (10, 10), (1_500_000, 5), (20, 4), (0, 0)]
      case .large: [(0, 200_000), (1, 131_072), (131_073, 131_073), (140_000, 3)]
      case .all: [(0, 3_000_001)]
      }
    }
  }

  @Test("They are those of the file, and so is the digest", arguments: Reads.allCases)
  func reads(_ reads: Reads) throws {
    var random = SplitMix64(state: 1)
    let expected = (0..<3_000_001).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let folder = TemporaryFolder()
    let path = folder.file("bytes")
    try PublishedFile.write(expected, to: path)
    let bytes = HashedBytes(try FileBytes(path))
    for (offset, count) in reads.places {
      #expect(
        try bytes.bytes(at: UInt64(offset), count: count)[...] == expected[offset..<offset + count]
      )
    }
    #expect(try bytes.finish() == Digest.of(expected))
    #expect(throws: RelabelError.self) { try bytes.finish() }
    // What is asked for after it is read from the file.
    #expect(try bytes.bytes(at: 7, count: 9)[...] == expected[7..<16])
  }

  @Test("A file that becomes shorter is refused")
  func shorter() throws {
    let folder = TemporaryFolder()
    let path = folder.file("bytes")
    try PublishedFile.write([UInt8](repeating: 0, count: 1_000_000), to: path)
    let bytes = HashedBytes(try FileBytes(path))
    #expect(truncate(path, 500_000) == 0)
    #expect(try bytes.bytes(at: 0, count: 10).count == 10)
    #expect(throws: RelabelError.self) { try bytes.finish() }
  }
}
