import Relabel

/// The keys that a file gives its maps.
protocol MapKeys: Sendable {
  /// How many keys there are.
  var count: Int { get }
  /// The key of a row.
  ///
  /// - Throws: `.io` when a temporary file can't be read.
  func key(ofRow row: Int) throws(RelabelError) -> String
}

/// Keys of a file that names few enough of them to hold.
struct HeldKeys: MapKeys {
  let keys: [String]

  var count: Int { keys.count }

  func key(ofRow row: Int) throws(RelabelError) -> String { keys[row] }
}

/// Keys that lie in a file as rows of bytes, zeros behind each: an array [N, L] of uint8.
struct StoredKeys: MapKeys {
  let count: Int
  private let width: Int
  private let file: ByteRegion
  private let path: String

  /// Keys that are looked at together.
  private static let block = 4096

  /// Checks that the rows are text.
  init(count: Int, width: Int, _ file: ByteRegion, path: String) throws(RelabelError) {
    (self.count, self.width, self.file, self.path) = (count, width, file, path)
    for first in stride(from: 0, to: count, by: Self.block) {
      let rows = min(Self.block, count - first)
      let bytes = try file.slice(first * width, rows * width)
        .read(limit: Limits.memberBytes, path: path)
      for row in 0..<rows where Self.text(bytes[row * width..<(row + 1) * width]) == nil {
        throw RelabelError(.invalidInput, "key \(first + row) is not valid text of UTF-8")
      }
    }
  }

  func key(ofRow row: Int) throws(RelabelError) -> String {
    let bytes = try file.slice(row * width, width).read(limit: Limits.memberBytes, path: path)
    guard let text = Self.text(bytes[...]) else {
      throw RelabelError(
        .io,
        "the keys have changed while they were read",
        at: Location(file: path)
      )
    }
    return text
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    String(exactly: bytes.unpadded)
  }
}
