internal import Crypto
internal import FoundationEssentials

/// SHA-256 digests as 64 lower-case hexadecimal digits.
public struct Digest: ~Copyable {
  private var hash = SHA256()

  /// Starts a digest.
  public init() {}

  /// Adds bytes.
  public mutating func update(_ bytes: [UInt8]) { hash.update(data: bytes) }

  /// Adds a part of a buffer.
  package mutating func update(_ bytes: ArraySlice<UInt8>) { hash.update(data: bytes) }

  /// Adds bytes in somebody's memory.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    hash.update(bufferPointer: bytes)
  }

  /// The digest of everything added so far.
  public consuming func hex() -> String { Self.hex(hash.finalize()) }

  /// The digest of some bytes.
  public static func of(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

  /// The 32 bytes of the digest of bytes.
  package static func bytes(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

  private static func hex(_ digest: SHA256.Digest) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in digest {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension String {
  /// True for 64 lower-case hexadecimal digits.
  package var isHexDigest: Bool {
    utf8.count == 64
      && utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
