import Relabel

/// The lines of a file or member, one after the other.
struct TextLines {
  private let file: ByteRegion
  private let path: String
  private var position = 0
  private var piece: [UInt8] = []
  private var next = 0
  /// The number of the line that was read last, from 1.
  private(set) var number = 0

  private static let pieceBytes = 64 << 10
  private static let longest = 1 << 20

  init(_ file: ByteRegion, path: String) { (self.file, self.path) = (file, path) }

  /// The next line without its end, which may be that of any system; nil at the end of the file.
  ///
  /// - Throws: `.invalidInput` for a line that is not text or endless, `.io`.
  mutating func line() throws(RelabelError) -> String? {
    var bytes: [UInt8] = []
    while true {
      if next == piece.count {
        let count = min(Self.pieceBytes, file.count - position)
        if count == 0 {
          if bytes.isEmpty { return nil }
          break
        }
        piece = try file.slice(position, count).read(limit: Self.pieceBytes, path: path)
        position += count
        next = 0
      }
      let rest = piece[next...]
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        bytes += rest[..<end]
        next = end + 1
        break
      }
      bytes += rest
      next = piece.count
      guard bytes.count <= Self.longest else {
        throw RelabelError(.unsafeInput, "line \(number + 1) is longer than \(Self.longest) bytes")
      }
    }
    number += 1
    if number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard let line = String(exactly: bytes[...]), !bytes.contains(0) else {
      throw RelabelError(.invalidInput, "line \(number) is not text of UTF-8")
    }
    return line
  }
}
