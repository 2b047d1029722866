/// What a JPEG's EXIF says of how it was held.
///
/// Callable on any bytes.
struct ExifOrientation {
  /// The number from 1 (as stored) to 8.
  let number: Int
  /// Where its two bytes are, the lowest first or last.
  private let place: Int
  private let isLittle: Bool

  /// Finds it; nil where the EXIF says nothing.
  init?(jpeg bytes: [UInt8]) {
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xFF {
      let marker = bytes[place + 1]
      let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
      if marker == 0xDA || length < 2 { return nil }
      let end = place + 2 + length
      if marker == 0xE1, end <= bytes.count, let found = Self(segment: bytes[(place + 4)..<end]) {
        self = found
        return
      }
      place = end
    }
    return nil
  }

  /// The first directory of an EXIF segment has the tag 0x0112.
  private init?(segment: ArraySlice<UInt8>) {
    let start = Array("Exif\0\0".utf8)
    guard segment.starts(with: start) else { return nil }
    let tiff = segment.dropFirst(start.count)
    isLittle = tiff.starts(with: "II".utf8)
    guard isLittle || tiff.starts(with: "MM".utf8) else { return nil }
    let isLittle = isLittle
    func number(_ place: Int, _ count: Int) -> Int? {
      guard place >= 0, place + count <= tiff.count else { return nil }
      let bytes = tiff[tiff.startIndex + place..<tiff.startIndex + place + count]
      return (isLittle ? Array(bytes.reversed()) : Array(bytes)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let place = directory + 2 + entry * 12
      guard let tag = number(place, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      guard let found = number(place + 8, 2), (1...8).contains(found) else { return nil }
      (self.number, self.place) = (found, tiff.startIndex + place + 8)
      return
    }
    return nil
  }

  /// The picture with an EXIF that asks for nothing.
  func straightened(_ jpeg: [UInt8]) -> [UInt8] {
    var bytes = jpeg
    bytes.replaceSubrange(place..<place + 2, with: isLittle ? [1, 0] : [0, 1])
    return bytes
  }
}
