import Relabel

/// The kinds of files that hold maps, told apart by their extension.
enum FileKind {
  case torch, array, archive

  init?(path: String) {
    if path.hasSuffix(".pt") {
      self = .torch
    } else if path.hasSuffix(".npy") {
      self = .array
    } else if path.hasSuffix(".npz") {
      self = .archive
    } else {
      return nil
    }
  }
}

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

/// A text compared by its bytes: Swift's own comparison takes `é` and `e` + accent for the same.
struct ByteKey: Hashable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (a: ByteKey, b: ByteKey) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
