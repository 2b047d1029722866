/// A dataset of another program's file, or something in a dataset's place, as the file describes it.
package struct ForeignObject: Hashable, Sendable {
  /// What one element is.
  package enum Element: Hashable, Sendable {
    /// A number, by the word that NumPy has for it without its order of bytes: `f4`, `u2`.
    case number(String, isBigEndian: Bool)
    /// Text of a fixed or variable length.
    case text
  }

  /// The way to it from the root, without a slash in front.
  package let path: String
  /// Why it is not read, in words; then nothing else is known.
  package var fault: String?
  /// True where reading it would lead to other files, or could do other harm.
  package var isUnsafe = false
  package var element: Element?
  package var shape: [Int] = []
  /// Sizes of a chunk; empty where there are none.
  package var chunk: [Int] = []
  /// Bytes of one element in the file.
  package var itemBytes = 0
  /// Bytes that the file stores of it, as it says itself.
  package var storedBytes = 0

  init(_ path: String) { self.path = path }

  init(_ path: String, fault: String, isUnsafe: Bool = false) {
    (self.path, self.fault, self.isUnsafe) = (path, fault, isUnsafe)
  }
}

extension ForeignObject {
  /// More axes than arrays of maps have.
  package static let maximumAxes = 8
  /// Bytes of the largest chunk, which has to be in memory three times while it is unpacked.
  package static let maximumChunkBytes = 32 << 20
}
