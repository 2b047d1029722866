internal import Crypto
internal import FoundationEssentials
import Glibc

/// SHA-256 digests as 64 lower-case hexadecimal digits.
public struct Digest: ~Copyable {
  private var hash = SHA256()

  /// Starts a digest.
  public init() {}

  /// Adds bytes.
  public mutating func update(_ bytes: [UInt8]) {
    hash.update(data: bytes)
  }

  /// The digest of everything added so far.
  public consuming func hex() -> String { Self.hex(hash.finalize()) }

  /// The digest of some bytes.
  public static func of(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

  /// The digest of a file and its size, read in pieces of 1 MiB.
  ///
  /// - Throws: `.io` naming the file.
  public static func of(file path: String) throws(RelabelError) -> (hex: String, bytes: Int64) {
    _ = try Folder.fileBytes(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("can't be opened", path) }
    defer { _ = close(descriptor) }
    var digest = Digest()
    var total: Int64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("can't be read", path)
      }
      if count == 0 { return (digest.hex(), total) }
      digest.hash.update(data: buffer[..<count])
      total += Int64(count)
    }
  }

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

extension RelabelError {
  /// An error of the operating system, with the reason that `errno` gives now.
  package static func system(_ what: String, _ path: String) -> RelabelError {
    RelabelError(.io, "\(what): \(String(cString: strerror(errno)))", at: Location(file: path))
  }
}
