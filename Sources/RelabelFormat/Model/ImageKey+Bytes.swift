extension ImageKey {
  /// A key as a dictionary sees it: two keys are one only if their bytes are.
  ///
  /// Swift's `String` takes composed and decomposed accents for equal; files and HDF5 do not.
  package struct Exact: Hashable, Sendable {
    // The text itself, which is shared: of an image list there may be millions.
    private let key: String

    package init(_ key: String) { self.key = key }

    package static func == (a: Self, b: Self) -> Bool { a.key.utf8.elementsEqual(b.key.utf8) }

    package func hash(into hasher: inout Hasher) {
      var key = key
      key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
}
