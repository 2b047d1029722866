import Glibc
internal import Relabel

/// Walks a folder of pictures.
struct PictureTree {
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
      var status = stat()
      guard stat(root, &status) == 0 else { throw .system("the folder can't be read", root) }
      try tree.walk([], [FolderIdentity(status)])
      return tree.passedOver
    }
  }

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  private mutating func walk(
    _ folder: [UInt8],
    _ ancestors: [FolderIdentity]
  ) throws(RelabelError) {
    for entry in try entries(of: folder) where entry.name.first != Self.dot {
      let path = folder + entry.name
      switch kind(entry.type, path) {
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
    case folder(FolderIdentity)
    case file, other
  }

  /// What an entry is; asks the system only where the listing does not say.
  private func kind(_ type: UInt8, _ path: [UInt8]) -> Kind {
    if type == UInt8(DT_REG) { return .file }
    var status = stat()
    guard stat((root + path).map(CChar.init(bitPattern:)) + [0], &status) == 0 else {
      return .other
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder(FolderIdentity(status))
    default: return .other
    }
  }

  private static func picture(_ path: [UInt8], name: [UInt8]) -> Picture? {
    guard let dot = path.lastIndex(of: dot), dot > path.count - name.count,
      endings.contains(String(decoding: path[(dot + 1)...], as: UTF8.self).lowercased())
    else { return nil }
    return Picture(key: path[..<dot], ending: path[dot...])
  }

  private func entries(
    of folder: [UInt8]
  ) throws(RelabelError) -> [(name: [UInt8], type: UInt8)] {
    let path = root + folder
    guard let stream = opendir(path.map(CChar.init(bitPattern:)) + [0]) else {
      throw .system("the folder can't be read", String(decoding: path, as: UTF8.self))
    }
    defer { closedir(stream) }
    var entries: [(name: [UInt8], type: UInt8)] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      entries.append((name, entry.pointee.d_type))
    }
    return entries.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }
}

/// What tells two folders apart however they are reached.
private struct FolderIdentity: Equatable {
  private let device: UInt64
  private let number: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
  }
}
