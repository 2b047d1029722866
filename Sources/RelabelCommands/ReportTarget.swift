internal import ArgumentParser
import Glibc
internal import Relabel
internal import Verification

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
    guard let file else { return }
    if Folder.exists(file) {
      let message = "the report can't be written: this is a folder"
      throw RelabelError(.io, message, at: Location(file: file))
    }
    if isSpecial(file) { return }
    let folder = Self.folder(of: file)
    guard Folder.exists(folder), access(folder, W_OK) == 0 else {
      let message = "the report can't be written: the folder is missing or may not be written to"
      throw RelabelError(.io, message, at: Location(file: file))
    }
  }

  /// - Throws: `.io` naming the file.
  func write(_ text: String, to file: String) throws(RelabelError) {
    if isSpecial(file) { return try writeThrough(text, file) }
    try PublishedFile.write(Array(text.utf8), to: file)
  }

  /// True for what a file must not take the place of, such as a pipe or a device.
  private func isSpecial(_ file: String) -> Bool {
    var status = stat()
    return stat(file, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }

  private func writeThrough(_ text: String, _ file: String) throws(RelabelError) {
    guard let stream = fopen(file, "w") else { throw .system("can't be opened", file) }
    let written = fwrite(text, 1, text.utf8.count, stream)
    guard fclose(stream) == 0, written == text.utf8.count else {
      throw .system("can't be written", file)
    }
  }

  private static func folder(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }
}
