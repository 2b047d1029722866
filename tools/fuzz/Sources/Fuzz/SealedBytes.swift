@testable import Relabel

/// The bytes of a shard whose blocks get the checksum that is right when they are read: without, a
/// fuzzer would never come past one.
final class SealedBytes: ByteSource, @unchecked Sendable {
  // Unchecked: changed only while it is made.
  private var content: [UInt8]
  /// An object header is read in two steps; the first is no block.
  private static let longestPrefix = 34
  private static let signatures = ["OHDR", "OCHK", "EAHD", "EAIB", "EASB", "EADB"]

  init(_ content: [UInt8]) {
    self.content = content
    if content.count >= Superblock.byteCount { seal(0..<Superblock.byteCount) }
  }

  var byteCount: UInt64 { UInt64(content.count) }

  func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    let range = Int(offset)..<Int(offset) + count
    if count > Self.longestPrefix,
      Self.signatures.contains(where: { content[range].starts(with: $0.utf8) })
    {
      seal(range)
    }
    return Array(content[range])
  }

  private func seal(_ range: Range<Int>) {
    let checksum = Lookup3.checksum(Array(content[range]), count: range.count - 4)
    for place in 0..<4 {
      content[range.upperBound - 4 + place] = UInt8(truncatingIfNeeded: checksum >> (8 * place))
    }
  }
}
