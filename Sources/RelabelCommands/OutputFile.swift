internal import Relabel
internal import RelabelSystem

/// The file that a result goes to, or standard output.
struct OutputFile {
  /// The word for standard output.
  static let standardOutput = "-"

  let path: String
  private let overwrites: Bool

  init(_ path: String, overwrites: Bool) { (self.path, self.overwrites) = (path, overwrites) }

  /// True where the result goes to standard output.
  var isStandardOutput: Bool { path == Self.standardOutput }

  /// Refuses a file that is there, and bytes on a terminal, before any work is done.
  ///
  /// - Throws: `.usage`; `.io` for a folder that can't be written to.
  func check(isText: Bool) throws(RelabelError) {
    if isStandardOutput {
      guard isText || !StandardStream.output.isTerminal else {
        throw RelabelError(
          .usage,
          "a terminal shows no pictures: name a file, or give the output to a program"
        )
      }
      return
    }
    if Folder.exists(path) {
      throw RelabelError(.usage, "this is a folder: name a file in it", at: Location(file: path))
    }
    if Folder.kind(of: path) == .regular, !overwrites {
      throw RelabelError(
        .usage,
        "there is such a file already; --overwrite writes over it",
        at: Location(file: path)
      )
    }
    let folder = Folder.parent(of: path)
    guard Folder.exists(folder) else {
      throw RelabelError(
        .io,
        "the file can't be written: there is no such folder",
        at: Location(file: path)
      )
    }
  }

  /// Writes all of it; the file appears once it is whole.
  ///
  /// - Throws: `.io` naming the file.
  func write(_ bytes: [UInt8]) throws(RelabelError) {
    if isStandardOutput { return try StandardStream.output.write(bytes) }
    if SpecialFile.isAt(path) { return try SpecialFile.write(bytes, to: path) }
    try PublishedFile.write(bytes, to: path)
  }
}
