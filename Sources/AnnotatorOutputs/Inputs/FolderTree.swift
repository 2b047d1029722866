import Glibc
import Relabel

/// Walks a folder and gathers the maps in it.
struct FolderTree {
  /// Deeper than any folder of images; links that lead upwards are noticed before.
  private static let maximumDepth = 64

  private let root: String

  /// Adds the maps below the folder at `path`.
  static func gather(_ path: String, into gathering: inout Gathering) throws(RelabelError) {
    let tree = FolderTree(root: path.hasSuffix("/") ? path : path + "/")
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw RelabelError.system("the folder can't be read", path)
    }
    try tree.walk("", [FileIdentity(status)], &gathering)
  }

  private func walk(
    _ folder: String,
    _ ancestors: [FileIdentity],
    _ gathering: inout Gathering
  ) throws(RelabelError) {
    let path = root + folder
    guard let stream = opendir(path) else {
      throw RelabelError.system("the folder can't be read", path)
    }
    var names: [[UInt8]] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [UInt8(ascii: ".")] && name != Array("..".utf8) { names.append(name) }
      errno = 0
    }
    let error = errno == 0 ? nil : RelabelError.system("the folder can't be read")
    closedir(stream)
    if let error { throw error.located(Location(file: path)) }

    names.sort { $0.lexicographicallyPrecedes($1) }
    for name in names { try visit(name, in: folder, ancestors, &gathering) }
  }

  private func visit(
    _ bytes: [UInt8],
    in folder: String,
    _ ancestors: [FileIdentity],
    _ gathering: inout Gathering
  ) throws(RelabelError) {
    guard let name = String(validating: bytes, as: UTF8.self) else {
      let name = RelativePath(folder + String(decoding: bytes, as: UTF8.self))
      let place = Place.named(prefix: root, extension: name.extension)
      let error = RelabelError(.invalidInput, "the file's name is not valid UTF-8; rename it")
      try gathering.addFailure(error, key: name.key, at: place)
      return
    }
    let relative = folder + name
    if name.hasPrefix(".") {
      gathering.ignored.append(root + relative)
      return
    }
    var status = stat()
    let isThere = stat(root + relative, &status) == 0
    if isThere, status.st_mode & S_IFMT == S_IFDIR {
      let identity = FileIdentity(status)
      guard !ancestors.contains(identity), ancestors.count < Self.maximumDepth else {
        gathering.ignored.append(root + relative + "/")
        return
      }
      try walk(relative + "/", ancestors + [identity], &gathering)
      return
    }
    guard let dialect = Dialects.recognising(relative),
      !isThere || status.st_mode & S_IFMT == S_IFREG
    else {
      gathering.ignored.append(root + relative)
      return
    }
    let path = RelativePath(relative)
    let place = Place.named(prefix: root, extension: path.extension)
    guard isThere else {
      let error = RelabelError.system("the file can't be opened")
      try gathering.addFailure(error, key: path.key, at: place)
      return
    }
    gathering.inputBytes += Int64(status.st_size)
    let region = ByteRegion(storage: .closed(path: nil), offset: 0, count: Int(status.st_size))
    try gathering.add(dialect, region, key: path.key, at: place)
  }
}

/// What tells two folders apart however they are reached.
private struct FileIdentity: Equatable {
  private let device: UInt64
  private let number: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
  }
}
