import Relabel

/// A path below an input root: its key and what else its name is made of.
struct RelativePath {
  let key: String
  /// With its dot; empty when there is none.
  let `extension`: String

  init(_ path: String) {
    let end = ImageKey.extensionStart(path)
    key = String(path[..<end])
    `extension` = String(path[end...])
  }
}
