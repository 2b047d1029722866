import Relabel

/// The parts that a compressed archive was cut into, as with `split`: PASSL's maps come so.
enum ArchiveParts {
  /// Files that are open at once.
  private static let most = 256
  /// What gzip, bzip2, xz and zstd begin with.
  private static let marks: [[UInt8]] = [
    [0x1F, 0x8B], Array("BZh".utf8), [0xFD, 0x37, 0x7A, 0x58, 0x5A], [0x28, 0xB5, 0x2F, 0xFD],
  ]

  /// The files, if the first begins as a compressed archive and none of the others as anything that is an input of
  /// its own; else nil.
  ///
  /// - Throws: `.io`.
  static func files(_ paths: [String]) throws(RelabelError) -> [OpenFile]? {
    guard (2...most).contains(paths.count) else { return nil }
    var files: [OpenFile] = []
    for path in paths {
      guard Folder.kind(of: path) == .regular, Dialects.recognising(input: path) == nil else {
        return nil
      }
      let file = try OpenFile(reading: path)
      let head = try file.read(at: 0, count: min(file.size, 512))
      let isCompressed = marks.contains { head.starts(with: $0) }
      guard isCompressed == files.isEmpty, !head.starts(with: RecordStream.magic),
        !head.dropFirst(257).starts(with: "ustar".utf8), Dialects.recognising(head: head) == nil
      else { return nil }
      files.append(file)
    }
    return files
  }
}
