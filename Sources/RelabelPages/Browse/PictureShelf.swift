import Relabel
internal import RelabelServer
internal import RelabelVerification
import Synchronization

/// The pictures that a browser shows, by the keys of a dataset.
///
/// Nothing of a request becomes a path: keys come from the dataset, and names from a listing of the folders. Links are
/// followed, as the verifier follows them; but only what begins like a picture is sent.
final class PictureShelf: Sendable {
  /// How far the listing of the folders is.
  enum State: Sendable {
    case none, listing, ready
    case failed(RelabelError)
  }

  private let folders: [String]
  private let index = Mutex<(PictureIndex?, RelabelError?)>((nil, nil))

  /// The largest picture that is sent.
  private static let maximumBytes = 64 << 20

  /// Pictures below folders, which are not listed yet.
  init(_ folders: [String]) { self.folders = folders }

  /// Lists the folders.
  func list() {
    guard !folders.isEmpty else { return }
    do throws(RelabelError) {
      let found = try PictureIndex(folders)
      index.withLock { $0 = (found, nil) }
    } catch {
      index.withLock { $0 = (nil, error) }
    }
  }

  /// How far the listing is.
  var state: State {
    if folders.isEmpty { return .none }
    return index.withLock { index in
      if let error = index.1 { .failed(error) } else { index.0 == nil ? .listing : .ready }
    }
  }

  /// The picture of a key as an answer.
  func answer(_ key: String) -> Response {
    switch state {
    // No error, which a browser's console would show: there need not be a picture of each image.
    case .none, .listing: return Response(204, "")
    case .failed(let error): return Response(500, error.description)
    case .ready: break
    }
    guard ImageKey.fault(key) == nil, let path = index.withLock({ $0.0?.path(ofKey: key) }) else {
      return Response(204, "")
    }
    do throws(RelabelError) {
      guard let bytes = try Self.bytes(path) else {
        return Response(413, "the picture is larger than \(Self.maximumBytes >> 20) MiB")
      }
      guard let type = Self.type(of: bytes) else {
        return Response(415, "this is no picture of a kind that browsers show")
      }
      // Maps mean the picture as it is stored, and a canvas would follow what its EXIF asks for.
      let orientation = type == "image/jpeg" ? ExifOrientation(jpeg: bytes) : nil
      return Response(type: type, orientation?.straightened(bytes) ?? bytes)
    } catch {
      return Response(500, error.description)
    }
  }

  private static func bytes(_ path: String) throws(RelabelError) -> [UInt8]? {
    // Should a pipe have taken the picture's place, nobody waits for its writer.
    let file = try FileDescriptor(path, .readingAtOnce)
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      var count = 0
      var failure: RelabelError?
      buffer.withUnsafeMutableBytes { room in
        do throws(RelabelError) { count = try file.read(into: room) } catch { failure = error }
      }
      if let failure { throw failure }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      if bytes.count > maximumBytes { return nil }
    }
  }

  /// The media type of a picture by its first bytes; nil for anything else.
  static func type(of bytes: [UInt8]) -> String? {
    func has(_ text: String, at place: Int = 0) -> Bool {
      bytes.dropFirst(place).starts(with: text.utf8)
    }
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return "image/png" }
    if has("GIF87a") || has("GIF89a") { return "image/gif" }
    if has("RIFF"), has("WEBP", at: 8) { return "image/webp" }
    if has("ftypavif", at: 4) { return "image/avif" }
    if has("BM") { return "image/bmp" }
    return nil
  }
}
