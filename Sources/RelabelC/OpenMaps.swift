import Glibc
import HDF5
import Relabel

/// Label maps that a C program holds; opened again in a forked child.
final class OpenMaps: @unchecked Sendable {
  // Unchecked: `source` and `process` change under the HDF5 lock, which survives a fork.
  private let path: String
  private let header: ShardHeader
  private var source: any LabelMapSource
  private var process: pid_t

  init(_ path: String) throws(RelabelError) {
    // A child may have another working folder than its parent had.
    let path = Folder.absolute(path)
    self.path = path
    source = try openLabelMaps(path)
    header = try source.header
    process = getpid()
  }

  /// The maps, for use in this process.
  ///
  /// - Throws: what opening throws, and `.corrupt` when a child finds other maps at the path than its
  ///   parent did.
  func current() throws(RelabelError) -> any LabelMapSource {
    // Any other lock could be held by a thread that the child does not have.
    try Library.locked { () throws(RelabelError) in
      if process == getpid() { return source }
      let reopened = try openLabelMaps(path)
      guard reopened.count == source.count, try reopened.header == header else {
        throw RelabelError(
          .corrupt,
          "the maps were replaced since they were opened; open them again",
          at: Location(file: path)
        )
      }
      source = reopened
      process = getpid()
      return source
    }
  }
}
