internal import Relabel

/// Where a page goes: a file that appears when it is complete, or standard output.
struct PageTarget {
  private let file: String?
  private let overwrites: Bool

  /// Makes a target; `-` is standard output.
  init(_ path: String, overwrites: Bool) {
    file = path == "-" ? nil : path
    self.overwrites = overwrites
  }

  /// Finds out early when the file could not be written.
  ///
  /// - Throws: `.usage` for a file that is there; `.io`.
  func check() throws(RelabelError) {
    guard let file else { return }
    if Folder.exists(file) {
      throw RelabelError(.io, "this is a folder: name a file", at: Location(file: file))
    }
    if !overwrites, Folder.kind(of: file) != nil, !SpecialFile.isAt(file) {
      throw RelabelError(
        .usage,
        "the file is there already: name another, or add --overwrite",
        at: Location(file: file)
      )
    }
    let folder = Folder.parent(of: file)
    guard Folder.exists(folder), Folder.isWritable(folder) else {
      let message = "the file can't be written: its folder is missing or may not be written to"
      throw RelabelError(.io, message, at: Location(file: file))
    }
  }

  /// Writes the text.
  ///
  /// - Throws: `.io` naming the file.
  func write(_ text: String) throws(RelabelError) {
    guard let file else { return try StandardStream.output.write(text) }
    if SpecialFile.isAt(file) { return try SpecialFile.write(text, to: file) }
    try PublishedFile.write(Array(text.utf8), to: file)
  }
}
