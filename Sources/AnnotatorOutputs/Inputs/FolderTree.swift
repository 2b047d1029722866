import Relabel

/// Walks a folder and gathers the maps in it.
struct FolderTree {
  /// Deeper than any folder of images; links that lead upwards are noticed before.
  private static let maximumDepth = 64

  private let root: String

  /// Adds the maps below the folder at `path`.
  static func gather(_ path: String, into gathering: inout Gathering) throws(RelabelError) {
    let tree = FolderTree(root: path.hasSuffix("/") ? path : path + "/")
    let status: FileStatus
    do throws(SystemError) { status = try FileStatus.of(path).get() } catch {
      throw .system("the folder can't be read", path, error)
    }
    try tree.walk("", [status.identity], &gathering)
  }

  private func walk(
    _ folder: String,
    _ ancestors: [FileStatus.Identity],
    _ gathering: inout Gathering
  ) throws(RelabelError) {
    let path = Array((root + folder).utf8)
    for entry in try FolderEntry.all(in: path, or: "the folder can't be read") {
      try visit(entry.name, in: folder, ancestors, &gathering)
    }
  }

  private func visit(
    _ bytes: [UInt8],
    in folder: String,
    _ ancestors: [FileStatus.Identity],
    _ gathering: inout Gathering
  ) throws(RelabelError) {
    guard let name = String(validating: bytes, as: UTF8.self) else {
      let name = RelativePath(folder + String(escaping: bytes))
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
    let status = FileStatus.of(root + relative)
    if case .success(let status) = status, status.kind == .folder {
      guard !ancestors.contains(status.identity), ancestors.count < Self.maximumDepth else {
        gathering.ignored.append(root + relative + "/")
        return
      }
      try walk(relative + "/", ancestors + [status.identity], &gathering)
      return
    }
    let path = RelativePath(relative, stripping: gathering.options.stripComponents)
    let place = Place.named(prefix: root + path.stripped, extension: path.extension)
    let dialect = gathering.options.dialect(of: relative, at: root + relative, status)
    switch (status, dialect) {
    case (_, .some) where path.fault != nil:
      if let fault = path.fault { try gathering.addFailure(fault, key: path.key, at: place) }
    case (.success(let status), let dialect?) where status.kind == .regular:
      gathering.inputBytes += Int64(status.bytes)
      let region = ByteRegion(storage: .closed(path: nil), offset: 0, count: status.bytes)
      try gathering.add(dialect, region, key: path.key, at: place)
    case (.failure(let error), .some):
      let error = RelabelError.system("the file can't be opened", nil, error)
      try gathering.addFailure(error, key: path.key, at: place)
    default:
      gathering.ignored.append(root + relative)
    }
  }
}
