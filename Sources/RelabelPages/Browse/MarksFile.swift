package import Relabel
import Synchronization

/// The table of marks as a file: the only one that a browser writes.
///
/// Each mark is on disk before its answer is sent. What another program has written meanwhile is read first, so that
/// nothing of it is lost.
package final class MarksFile: Sendable {
  /// Where the table is, or will be once something is marked.
  package let path: String
  private let state: Mutex<State>

  private struct State {
    var marks = ReviewMarks()
    /// The file as it was read or written last; nil where there was none.
    var stamp: FileStamp?

    /// Reads the file, unless it is the one that is known.
    mutating func refresh(_ path: String) throws(RelabelError) {
      let found = FileStamp(path)
      if found == stamp { return }
      let bytes = found == nil ? [] : try Folder.contents(path, limit: MarksFile.maximumBytes)
      marks = try ReviewMarks(parsing: bytes, file: path)
      stamp = found
    }
  }

  /// The most bytes of a table that are read.
  private static let maximumBytes = 1 << 28

  /// Reads a table, where there is one already.
  ///
  /// - Throws: `.usage` for a file that is no table of marks, `.io` for one that can't be read or a folder that isn't
  ///   there.
  package init(_ path: String) throws(RelabelError) {
    self.path = path
    let folder = Folder.parent(of: path)
    guard Folder.exists(folder), Folder.isWritable(folder) else {
      throw .system("the folder of the marks can't be written", folder)
    }
    var first = State()
    try first.refresh(path)
    state = Mutex(first)
  }

  /// The marks of now.
  package var marks: ReviewMarks { state.withLock { $0.marks } }

  /// Marks an image, or takes its mark back, and writes the file.
  ///
  /// - Throws: `.usage` where another program has made another file of it, `.io` where it can't be written; then the
  ///   mark is not set.
  package func set(_ mark: ReviewMarks.Mark?, of key: String) throws(RelabelError) {
    try state.withLock { state throws(RelabelError) in
      try state.refresh(path)
      var marks = state.marks
      marks.set(mark, of: key)
      if marks == state.marks { return }
      try PublishedFile.write(marks.encoded(), to: path)
      (state.marks, state.stamp) = (marks, FileStamp(path))
    }
  }
}
