import Relabel

/// One of the inputs, by what is at its path.
enum InputPath {
  case folder(String)
  case file(any Dialect, String, size: Int)
  /// An uncompressed tar file.
  case tar(OpenFile, String)
  /// A compressed tar file, a stream of records or a pipe.
  case stream(OpenFile, String)
  /// Something with the name of a tar file that isn't one.
  case broken(String, RelabelError)

  init(_ path: String, _ options: InputOptions) throws(RelabelError) {
    if path == "-" {
      self = .stream(try OpenFile.standardInput(), "stdin")
      return
    }
    let status = try Self.status(path)
    switch status.kind {
    case .folder:
      self = .folder(path)
    case .pipe:
      self = .stream(try OpenFile(reading: path), path)
    case .regular:
      if let dialect = Dialects.recognising(input: path) {
        self = .file(dialect, path, size: status.bytes)
      } else {
        self = try Self.archive(path, options, size: status.bytes)
      }
    case .link, .other:
      throw RelabelError(.usage, "this is neither a file nor a folder", at: Location(file: path))
    }
  }

  private static func status(_ path: String) throws(RelabelError) -> FileStatus {
    do throws(SystemError) { return try FileStatus.of(path).get() } catch {
      if error.isNoSuchFile {
        throw RelabelError(.usage, "there is no such file or folder", at: Location(file: path))
      }
      throw .system("the input can't be examined", path, error)
    }
  }

  /// Looks into a file that isn't a map by its name.
  private static func archive(
    _ path: String,
    _ options: InputOptions,
    size: Int
  ) throws(RelabelError) -> InputPath {
    let file = try OpenFile(reading: path)
    let start = try file.read(at: 0, count: min(file.size, 512))
    if start.starts(with: RecordStream.magic) { return .stream(file, path) }
    if let dialect = Dialects.recognising(head: start) { return .file(dialect, path, size: size) }
    do throws(RelabelError) {
      let reader = try ArchiveReader(tar: file.descriptor)
      _ = try reader.next()
      try file.rewind()
      return reader.isCompressed ? .stream(file, path) : .tar(file, path)
    } catch {
      if error.code == .io { throw error }
      if let word = options.dialect { return .file(try Dialects.named(word), path, size: size) }
      if GitLFSPointer.begins(start) {
        throw RelabelError(.usage, GitLFSPointer.fault, at: Location(file: path))
      }
      let name = (path.split(separator: "/").last ?? "").lowercased()
      if name.contains(".tar")
        || [".tgz", ".tbz2", ".txz", ".tzst"].contains(where: name.hasSuffix)
      {
        return .broken(path, error)
      }
      throw RelabelError(
        .usage,
        "this is not a \(Dialects.endings) or tar file, and its first bytes are of no known dialect; --dialect says"
          + " what it is",
        at: Location(file: path)
      )
    }
  }

  /// The key of an input that is a file: its name without the extension.
  static func key(of path: String) -> String {
    ImageKey.strippingExtension(path.split(separator: "/").last.map(String.init) ?? path)
  }
}
