internal import Glibc
package import RelabelFormat

/// The few things this package does with folders.
package enum Folder {
  /// Names in a folder, sorted by their bytes; `.` and `..` left out.
  ///
  /// - Throws: `.io` naming the folder.
  package static func names(_ path: String) throws(RelabelError) -> [String] {
    try FolderEntry.all(in: Array(path.utf8), or: "can't be listed")
      .map { String(exactly: $0.name[...]) ?? String(escaping: $0.name) }
      .sorted(by: ImageKey.precedes)
  }

  /// True when `path` is a folder.
  package static func exists(_ path: String) -> Bool {
    kind(of: path) == .folder
  }

  /// The folder of a dataset that is named by its folder or its `index.json`; nil for a shard.
  package static func ofDataset(_ path: String) -> String? {
    if exists(path) {
      return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
    return name(of: path) == DatasetIndex.fileName ? parent(of: path) : nil
  }

  /// The last part of a path.
  package static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The folder that a path's last part lies in.
  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// True when both paths lead to the same file or folder.
  package static func areOne(_ a: String, _ b: String) -> Bool {
    guard case .success(let first) = FileStatus.of(a), case .success(let second) = FileStatus.of(b)
    else { return false }
    return first.identity == second.identity
  }

  /// True when `path` is a symbolic link.
  package static func isLink(_ path: String) -> Bool {
    FileStatus.kindOfEntry(at: path) == .link
  }

  /// True when there is a file of any kind at `path`.
  package static func hasFile(_ path: String) -> Bool {
    kind(of: path) != nil
  }

  /// The kind of what a path leads to; nil for nothing.
  package static func kind(of path: String) -> FileKind? {
    guard case .success(let status) = FileStatus.of(path) else { return nil }
    return status.kind
  }

  /// A path that means the same after the program changed its folder.
  package static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return String(cString: folder) + "/" + path
  }

  /// What `fileBytes` says of a pipe, a folder and the like.
  package static let notRegular = "this is not a regular file"

  /// The size of a regular file; anything else, such as a pipe that would block, is refused.
  ///
  /// - Throws: `.io` naming the file.
  package static func fileBytes(_ path: String) throws(RelabelError) -> Int64 {
    let status: FileStatus
    do throws(SystemError) { status = try FileStatus.of(path).get() } catch {
      throw .system("can't be opened", path, error)
    }
    guard status.kind == .regular else {
      throw RelabelError(.io, notRegular, at: Location(file: path))
    }
    return Int64(status.bytes)
  }

  /// Refuses a file that this user may not read.
  ///
  /// - Throws: `.io` naming the file.
  package static func requireReadable(_ path: String) throws(RelabelError) {
    guard access(path, R_OK) == 0 else { throw .system("can't be opened", path) }
  }

  /// True when this user may write to a file or folder.
  package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

  /// Creates a folder and those above it where they are missing.
  ///
  /// - Throws: `.io` naming the folder that can't be made.
  package static func create(_ path: String) throws(RelabelError) {
    if exists(path) { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try create(String(path[..<slash]))
    }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .system("the folder can't be created", path)
    }
  }

  /// Removes one file; a file that is gone already is fine.
  ///
  /// - Throws: `.io` naming the file.
  package static func remove(_ path: String) throws(RelabelError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("can't be removed", path) }
  }

  /// The bytes of a file of at most `limit` bytes.
  ///
  /// - Throws: `.io`, or `.unsafeInput` for a larger file.
  package static func contents(_ path: String, limit: Int) throws(RelabelError) -> [UInt8] {
    let file = try FileDescriptor(path)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try buffer.filled(from: file)
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      if bytes.count > limit {
        throw RelabelError(
          .unsafeInput,
          "the file is over the limit of \(limit) bytes",
          at: Location(file: path)
        )
      }
    }
  }
}
