package import RelabelFormat

/// The end of a file that may be long.
package enum FileTail {
  /// The lines in the last bytes of a file, on one line.
  ///
  /// - Throws: `.io` naming the file.
  package static func text(_ path: String, bytes: Int) throws(RelabelError) -> String {
    let size = Int(try Folder.fileBytes(path))
    let file = try FileDescriptor(path)
    var tail = [UInt8](repeating: 0, count: min(size, bytes))
    let count = tail.withUnsafeMutableBytes { file.readSome(at: size - $0.count, into: $0) }
    let text = String(decoding: tail[..<count], as: UTF8.self)
    return text.split(separator: "\n").joined(separator: " | ")
  }
}
