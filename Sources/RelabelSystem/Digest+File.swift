public import RelabelFormat

extension Digest {
  /// The digest of a file and its size, read in pieces that stay in a core's cache.
  ///
  /// - Throws: `.io` naming the file.
  public static func of(file path: String) throws(RelabelError) -> (hex: String, bytes: Int64) {
    _ = try Folder.fileBytes(path)
    let file = try FileDescriptor(path)
    var digest = Digest()
    var total: Int64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 17)
    while true {
      let count = try buffer.filled(from: file)
      if count == 0 { return (digest.hex(), total) }
      digest.update(buffer[..<count])
      total += Int64(count)
    }
  }
}

extension [UInt8] {
  /// Takes the next bytes of a file; how many there were, 0 at the end.
  mutating func filled(from file: borrowing FileDescriptor) throws(RelabelError) -> Int {
    let result = withUnsafeMutableBytes { buffer in
      Result { () throws(RelabelError) in try file.read(into: buffer) }
    }
    return try result.get()
  }
}
