internal import Glibc
package import RelabelFormat

/// A file that appears under its name only when it is complete (spec, "Publishing").
///
/// It is written under a temporary name in the same folder, then synced and renamed.
package struct PublishedFile: ~Copyable {
  /// The name under which readers find the file.
  package let path: String
  /// The name while it is being written; the verifier and readers never take it for finished.
  package let temporaryPath: String
  private var isPublished = false

  package init(_ path: String) {
    self.path = path
    temporaryPath = "\(Folder.parent(of: path))/.\(Folder.name(of: path))\(Self.temporarySuffix)"
  }

  package static let temporarySuffix = ".partial"

  /// True for the names that `init` makes, which nothing but this type makes.
  package static func isTemporary(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(temporarySuffix)
  }

  /// Syncs the file, gives it its name, and syncs the folder where that can be done.
  ///
  /// - Throws: `.io`; the file then keeps its temporary name until this value goes away.
  package mutating func publish() throws(RelabelError) {
    try Self.sync(temporaryPath)
    guard rename(temporaryPath, path) == 0 else { throw .system("can't be renamed", temporaryPath) }
    isPublished = true
    try FileDescriptor(Folder.parent(of: path)).syncFolder()
  }

  /// Writes a whole small file and publishes it.
  package static func write(_ bytes: [UInt8], to path: String) throws(RelabelError) {
    var file = PublishedFile(path)
    let temporary = file.temporaryPath
    try FileDescriptor(temporary, .writing(mode: 0o644), or: "can't be written").write(bytes)
    try file.publish()
  }

  deinit {
    if !isPublished { unlink(temporaryPath) }
  }

  /// Waits until a file is on disk.
  ///
  /// Calls `fsync`; one that is there already takes no time.
  package static func sync(_ path: String) throws(RelabelError) {
    try FileDescriptor(path).sync()
  }
}
