package import Relabel

/// Bytes of a picture by place: of a file that is read piece by piece, or in memory.
package final class PictureBytes {
  private let file: FileDescriptor?
  /// What is held, and where it begins.
  private var window: [UInt8]
  private var start = 0

  /// Enough for the header of most pictures.
  private static let windowBytes = 4096

  /// The bytes of a file.
  ///
  /// - Throws: `.io` naming the file.
  package init(file path: String) throws(RelabelError) {
    // Should a pipe have taken the picture's place, nobody waits for its writer.
    file = try FileDescriptor(path, .readingAtOnce)
    window = []
  }

  /// Bytes in memory.
  package init(_ bytes: [UInt8]) {
    file = nil
    window = bytes
  }

  /// `count` bytes at `place`, or nil where there are not so many.
  subscript(place: Int, count: Int) -> [UInt8]? {
    if place < start || place + count > start + window.count { fill(place) }
    let first = place - start
    guard first >= 0, first + count <= window.count else { return nil }
    return Array(window[first..<first + count])
  }

  private func fill(_ place: Int) {
    var window = [UInt8](repeating: 0, count: Self.windowBytes)
    let count = window.withUnsafeMutableBytes { file?.readSome(at: place, into: $0) }
    guard let count else { return }
    window.removeLast(window.count - count)
    (self.window, start) = (window, place)
  }
}
