internal import Glibc
package import RelabelFormat

/// Room in a temporary file that no name leads to.
///
/// One thread sets aside and fills; what it holds is read from any thread afterwards.
package struct Spool {
  private let directory: String
  private var file: OpenFile?
  private var end = 0
  /// How many things were put into it that are only a sample of something.
  package var samples = 0

  /// A spool whose file is made in a folder when it is needed.
  package init(directory: String) { self.directory = directory }

  /// Sets aside room for a number of 4-byte values.
  package mutating func reserve(values: Int) throws(RelabelError) -> (file: OpenFile, offset: Int) {
    let (bytes, overflow) = values.multipliedReportingOverflow(by: 4)
    guard !overflow, bytes >= 0, bytes <= Int(off_t.max) - end else {
      throw RelabelError(.unsafeInput, "the arrays are too large to be spooled")
    }
    return try reserve(bytes: bytes)
  }

  /// Sets aside room for some bytes.
  package mutating func reserve(bytes: Int) throws(RelabelError) -> (file: OpenFile, offset: Int) {
    let file = if let known = self.file { known } else { try makeFile() }
    self.file = file
    defer { end += bytes }
    return (file, end)
  }

  private func makeFile() throws(RelabelError) -> OpenFile {
    // A run killed before the unlink leaves a name that the next run knows to remove.
    let suffix = PublishedFile.temporarySuffix
    var template = Array("\(directory)/.relabel-spool-XXXXXX\(suffix)".utf8CString)
    let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
    guard descriptor >= 0 else {
      throw RelabelError.system("the temporary file can't be made", directory)
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return try OpenFile(FileDescriptor(owning: descriptor, path: directory))
  }
}
