import Glibc
public import RelabelFormat

extension Digest {
  /// The digest of a file and its size, read in pieces that stay in a core's cache.
  ///
  /// - Throws: `.io` naming the file.
  public static func of(file path: String) throws(RelabelError) -> (hex: String, bytes: Int64) {
    _ = try Folder.fileBytes(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("can't be opened", path) }
    defer { _ = close(descriptor) }
    var digest = Digest()
    var total: Int64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 17)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("can't be read", path)
      }
      if count == 0 { return (digest.hex(), total) }
      digest.update(buffer[..<count])
      total += Int64(count)
    }
  }
}

extension RelabelError {
  /// An error of the operating system, with the reason that `errno` gives now.
  package static func system(_ what: String, _ path: String? = nil) -> RelabelError {
    RelabelError(.io, "\(what): \(String(cString: strerror(errno)))", at: Location(file: path))
  }
}
