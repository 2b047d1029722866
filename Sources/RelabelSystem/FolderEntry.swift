internal import Glibc
package import RelabelFormat

/// A name in a folder.
package struct FolderEntry: Hashable, Sendable {
  /// The bytes of the name, which need not be UTF-8.
  package let name: [UInt8]
  /// True when the listing alone says that this is a regular file.
  package let isKnownFile: Bool

  /// All names in a folder in the order of their bytes; `.` and `..` left out.
  ///
  /// Calls `readdir`.
  /// - Parameters:
  ///   - folder: the bytes of the folder's path.
  ///   - what: what an error says has failed.
  ///   - most: how many are wanted at most, whichever these are; nil for all.
  /// - Returns: the entries.
  /// - Throws: `.io` naming the folder.
  package static func all(
    in folder: [UInt8],
    or what: String,
    atMost most: Int = .max
  ) throws(RelabelError) -> [FolderEntry] {
    guard let stream = opendir(folder.map(CChar.init(bitPattern:)) + [0]) else {
      throw .system(what, String(escaping: folder))
    }
    defer { closedir(stream) }
    var entries: [FolderEntry] = []
    errno = 0
    while entries.count < most, let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [dot] && name != [dot, dot] {
        entries.append(FolderEntry(name: name, isKnownFile: entry.pointee.d_type == UInt8(DT_REG)))
      }
      errno = 0
    }
    // A listing that breaks off is not a short one.
    guard errno == 0 else { throw .system(what, String(escaping: folder)) }
    return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private static let dot = UInt8(ascii: ".")
}
