internal import Relabel

/// Walks a folder of pictures.
package struct PictureTree {
  /// Endings of pictures, in lower case.
  private static let endings: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "dib", "tif", "tiff", "ppm", "pgm",
    "pbm", "pnm", "avif", "heic", "heif", "jxl", "jp2",
  ]
  /// Deeper than any folder of pictures; links that lead upwards are noticed before.
  private static let maximumDepth = 64

  /// A picture: the bytes of its path below the root, cut before its extension.
  struct Picture {
    let key: ArraySlice<UInt8>
    /// With its dot.
    let ending: ArraySlice<UInt8>
  }

  private let root: [UInt8]
  private let visit: (Picture) -> Void
  private var passedOver = 0

  /// Visits the pictures below a folder, folder by folder in the order of names.
  ///
  /// Hidden files and folders are passed over. Links to files and folders are followed, but not
  /// into a folder that the walk is in already.
  /// - Returns: how many other files there are.
  /// - Throws: `.io` naming a folder that can't be listed.
  static func walk(_ root: String, _ visit: (Picture) -> Void) throws(RelabelError) -> Int {
    try withoutActuallyEscaping(visit) { visit throws(RelabelError) in
      var tree = PictureTree(root: Array(root.utf8) + [slash], visit: visit)
      let status: FileStatus
      do throws(SystemError) { status = try FileStatus.of(root).get() } catch {
        throw .system("the folder can't be read", root, error)
      }
      try tree.walk([], [status.identity])
      return tree.passedOver
    }
  }

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  private mutating func walk(
    _ folder: [UInt8],
    _ ancestors: [FileStatus.Identity]
  ) throws(RelabelError) {
    let entries = try FolderEntry.all(in: root + folder, or: "the folder can't be read")
    for entry in entries where entry.name.first != Self.dot {
      let path = folder + entry.name
      switch kind(of: entry, path) {
      case .folder(let identity):
        if ancestors.contains(identity) || ancestors.count >= Self.maximumDepth { continue }
        try walk(path + [Self.slash], ancestors + [identity])
      case .file:
        if let picture = Self.picture(path, name: entry.name) {
          visit(picture)
        } else {
          passedOver += 1
        }
      case .other: passedOver += 1
      }
    }
  }

  private enum Kind {
    case folder(FileStatus.Identity)
    case file, other
  }

  /// What an entry is; asks the system only where the listing does not say.
  private func kind(of entry: FolderEntry, _ path: [UInt8]) -> Kind {
    if entry.isKnownFile { return .file }
    guard case .success(let status) = FileStatus.of(root + path) else { return .other }
    return switch status.kind {
    case .regular: .file
    case .folder: .folder(status.identity)
    case .link, .pipe, .other: .other
    }
  }

  /// True for an extension, without its dot, that pictures have.
  package static func isPicture(_ ending: String) -> Bool { endings.contains(ending.lowercased()) }

  private static func picture(_ path: [UInt8], name: [UInt8]) -> Picture? {
    guard let dot = path.lastIndex(of: dot), dot > path.count - name.count,
      isPicture(String(decoding: path[(dot + 1)...], as: UTF8.self))
    else { return nil }
    return Picture(key: path[..<dot], ending: path[dot...])
  }
}
