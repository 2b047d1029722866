import Relabel

/// Numbers of arrays in a file of another program, one array behind the other.
final class ForeignStream: ArrayStream {
  private let source: any ForeignBytes
  private let form: NumPyHeader
  private var piece: [UInt8] = []
  private var taken = 0

  /// - Parameters:
  ///   - source: the bytes.
  ///   - header: what they are, all arrays together.
  init(_ source: any ForeignBytes, _ header: NumPyHeader) { (self.source, form) = (source, header) }

  func header() throws(RelabelError) -> NumPyHeader { form }

  func read(_ count: Int) throws(RelabelError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      if taken == piece.count {
        guard let next = try source.next() else {
          throw RelabelError(.invalidInput, "the array ends before its shape \(form.shape) is full")
        }
        (piece, taken) = (next, 0)
      }
      let some = min(count - bytes.count, piece.count - taken)
      bytes += piece[taken..<taken + some]
      taken += some
    }
    return bytes
  }

  func finish() throws(RelabelError) {
    guard taken == piece.count, try source.next() == nil else {
      throw RelabelError(.invalidInput, "the array goes on behind its shape \(form.shape)")
    }
  }
}

/// Texts as a helper sends them: the length of each in 4 bytes, little-endian, and its bytes.
package enum ForeignTexts {
  package static func encoded(_ texts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    for text in texts {
      withUnsafeBytes(of: UInt32(text.count).littleEndian) { bytes += $0 }
      bytes += text
    }
    return bytes
  }
}

/// Keys that a file of another program gives its maps, spooled.
struct ForeignKeys: MapKeys {
  private let file: OpenFile
  /// Where each key lies, and its length.
  private let places: [(offset: Int, length: UInt16)]

  var count: Int { places.count }

  /// Takes the keys from who is not trusted.
  init(_ source: any ForeignBytes, count: Int, _ spool: inout Spool) throws(RelabelError) {
    var places: [(offset: Int, length: UInt16)] = []
    while let piece = try source.next() {
      let (file, offset) = try spool.reserve(bytes: piece.count)
      try file.write(piece, at: offset)
      var cursor = ByteCursor(piece, subject: "the keys")
      while cursor.remaining > 0 {
        let length = Int(try cursor.unsigned(4))
        let place = try cursor.take(length)
        guard length <= ImageKey.maximumBytes, String(exactly: piece[place]) != nil else {
          throw RelabelError(
            .invalidInput,
            "key \(places.count) is not valid text of UTF-8 of at most \(ImageKey.maximumBytes) bytes"
          )
        }
        places.append((offset + place.lowerBound, UInt16(length)))
      }
    }
    guard places.count == count else {
      throw RelabelError(.invalidInput, "the file gave \(places.count) keys of \(count)")
    }
    self.places = places
    file = try spool.reserve(bytes: 0).file
  }

  func key(ofRow row: Int) throws(RelabelError) -> String {
    let (offset, length) = places[row]
    return String(decoding: try file.readUnbounded(at: offset, count: Int(length)), as: UTF8.self)
  }
}

/// The paths of arrays as keys.
struct PathKeys: MapKeys {
  let paths: NameTable

  var count: Int { paths.count }

  func key(ofRow row: Int) throws(RelabelError) -> String {
    ImageKey.strippingExtension(paths[row])
  }
}
