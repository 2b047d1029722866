/// Height and width of a picture in pixels, as its header gives them; EXIF rotation is left aside.
public struct PictureSize: Hashable, Sendable, CustomStringConvertible {
  /// Rows of pixels.
  public let height: Int
  /// Pixels of a row.
  public let width: Int

  /// Makes a size.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// For example `375×500`, height first.
  public var description: String { "\(height)×\(width)" }
}

extension PictureSize {
  /// Reads the size from the header of a JPEG, PNG, WebP, GIF or BMP picture.
  ///
  /// The name of the file does not matter. Nil for other kinds and for a header that is cut off or
  /// makes no sense.
  /// Callable from any thread, on any bytes.
  /// - Complexity: looks at a few bytes; of a JPEG, at each segment before the frame.
  package init?(header: PictureBytes) {
    guard let start = header[0, 30] ?? header[0, 26] ?? header[0, 24] ?? header[0, 10] else {
      return nil
    }
    let size: (height: Int, width: Int)? =
      if start.starts(with: [0xFF, 0xD8]) {
        Self.jpeg(header)
      } else if start.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
        Self.png(start)
      } else if start.starts(with: "GIF8".utf8) {
        (start.little(8, 2), start.little(6, 2))
      } else if start.starts(with: "BM".utf8) {
        Self.bmp(start)
      } else if start.starts(with: "RIFF".utf8), start.dropFirst(8).starts(with: "WEBP".utf8) {
        Self.webp(start)
      } else {
        nil
      }
    guard let size, size.height > 0, size.width > 0 else { return nil }
    self.init(height: size.height, width: size.width)
  }

  private static func png(_ start: [UInt8]) -> (height: Int, width: Int)? {
    guard start.count >= 24, start[12..<16].elementsEqual("IHDR".utf8) else { return nil }
    return (start.big(20, 4), start.big(16, 4))
  }

  private static func bmp(_ start: [UInt8]) -> (height: Int, width: Int)? {
    guard start.count >= 26 else { return nil }
    // The oldest header has 16-bit sides; in later ones a negative height means rows from the top.
    if start.little(14, 4) == 12 { return (start.little(20, 2), start.little(18, 2)) }
    let height = Int(Int32(truncatingIfNeeded: start.little(22, 4)))
    return (abs(height), Int(Int32(truncatingIfNeeded: start.little(18, 4))))
  }

  private static func webp(_ start: [UInt8]) -> (height: Int, width: Int)? {
    guard start.count >= 30 else { return nil }
    switch String(decoding: start[12..<16], as: UTF8.self) {
    case "VP8X": return (start.little(27, 3) + 1, start.little(24, 3) + 1)
    case "VP8L":
      guard start[20] == 0x2F else { return nil }
      let bits = start.little(21, 4)
      return ((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1)
    case "VP8 ":
      guard start[23..<26].elementsEqual([0x9D, 0x01, 0x2A]) else { return nil }
      return (start.little(28, 2) & 0x3FFF, start.little(26, 2) & 0x3FFF)
    default: return nil
    }
  }

  /// No camera writes so many segments before the frame.
  private static let maximumSegments = 10_000

  /// The sides in the first frame header (SOF0 to SOF15, progressive ones too).
  private static func jpeg(_ header: PictureBytes) -> (height: Int, width: Int)? {
    var place = 2
    for _ in 0..<maximumSegments {
      guard let marker = header[place, 2], marker[0] == 0xFF else { return nil }
      switch marker[1] {
      case 0xFF: place += 1  // padding
      case 0x01, 0xD0...0xD7: place += 2  // no length follows
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        guard let frame = header[place, 9] else { return nil }
        return (frame.big(5, 2), frame.big(7, 2))
      case 0x00, 0xD8, 0xD9, 0xDA: return nil  // the picture itself begins or ends here
      default:
        guard let length = header[place + 2, 2]?.big(0, 2), length >= 2 else { return nil }
        place += 2 + length
      }
    }
    return nil
  }
}

extension [UInt8] {
  /// A number of `count` bytes at an offset, high byte first.
  fileprivate func big(_ offset: Int, _ count: Int) -> Int {
    self[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
  }

  /// A number of `count` bytes at an offset, low byte first.
  fileprivate func little(_ offset: Int, _ count: Int) -> Int {
    self[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
