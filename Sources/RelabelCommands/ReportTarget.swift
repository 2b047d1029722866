internal import ArgumentParser
internal import Relabel
internal import RelabelVerification

/// A report and where it goes.
struct ReportTarget: ExpressibleByArgument {
  let format: ReportFormat
  /// Nil for standard output.
  let file: String?

  init(_ format: ReportFormat) { (self.format, file) = (format, nil) }

  /// Reads `FORMAT`, `FORMAT=-` or `FORMAT=FILE`.
  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let format = ReportFormat(rawValue: String(parts[0])), parts.last != "" else {
      return nil
    }
    self.format = format
    file = parts.count == 1 || parts[1] == "-" ? nil : String(parts[1])
  }

  /// - Throws: `.io` when the file can't be written, as far as that can be known before.
  func check() throws(RelabelError) {
    if let file { try Self.check(file: file) }
  }

  /// - Throws: as `check()`, for a file.
  static func check(file: String) throws(RelabelError) {
    if Folder.exists(file) {
      let message = "the report can't be written: this is a folder"
      throw RelabelError(.io, message, at: Location(file: file))
    }
    if SpecialFile.isAt(file) { return }
    let folder = Folder.parent(of: file)
    guard Folder.exists(folder), Folder.isWritable(folder) else {
      let message = "the report can't be written: the folder is missing or may not be written to"
      throw RelabelError(.io, message, at: Location(file: file))
    }
  }

  /// - Throws: `.io` naming the file.
  func write(_ text: String, to file: String) throws(RelabelError) {
    if SpecialFile.isAt(file) { return try SpecialFile.write(text, to: file) }
    try PublishedFile.write(Array(text.utf8), to: file)
  }
}
