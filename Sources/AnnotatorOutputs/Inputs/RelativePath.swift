import Relabel

/// A path below an input root: its key and what else its name is made of.
struct RelativePath {
  /// The folders that are not part of the key, with the slash after them.
  let stripped: String
  let key: String
  /// The extension with its dot; empty if there is none.
  let `extension`: String
  /// Why the path has no key, or nil.
  let fault: RelabelError?

  /// - Parameters:
  ///   - path: the path.
  ///   - count: folders to take off its front.
  init(_ path: String, stripping count: Int = 0) {
    var start = path.startIndex
    var left = count
    while left > 0, let slash = path.utf8[start...].firstIndex(of: UInt8(ascii: "/")) {
      start = path.utf8.index(after: slash)
      left -= 1
    }
    if left > 0 { start = path.startIndex }
    let end = ImageKey.extensionStart(path)
    stripped = String(path[..<start])
    key = String(path[start..<end])
    `extension` = String(path[end...])
    fault =
      left == 0
      ? nil
      : RelabelError(
        .invalidInput,
        "--strip-components \(count) leaves nothing of the path, which has \(counted(count - left))"
      )
  }
}

private func counted(_ folders: Int) -> String {
  folders == 1 ? "1 folder" : "\(folders) folders"
}
