public import RelabelFormat

extension Digest {
  /// Bytes that are hashed whatever they are.
  private static let mostOfHoles: Int64 = 64 << 20

  /// The digest of a file and its size, read in pieces that stay in a core's cache.
  ///
  /// - Throws: `.io` naming the file, `.unsafeInput` for one of nothing but holes: a terabyte of them takes no room
  ///   on the disk and many minutes to hash.
  public static func of(file path: String) throws(RelabelError) -> (hex: String, bytes: Int64) {
    let size = try Folder.fileBytes(path)
    let file = try FileDescriptor(path)
    if size > mostOfHoles, file.dataBytes(of: size) < size / 1000 {
      throw RelabelError(
        .unsafeInput,
        "nearly all of its \(size) bytes are holes that were never written; they are not hashed",
        at: Location(file: path)
      )
    }
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
