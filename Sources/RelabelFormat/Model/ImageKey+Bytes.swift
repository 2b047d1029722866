extension ImageKey {
  /// A key as a dictionary sees it: two keys are one only if their bytes are.
  ///
  /// Swift's `String` takes composed and decomposed accents for equal; files and HDF5 do not.
  package struct Exact: Hashable, Sendable {
    private let bytes: [UInt8]

    package init(_ key: String) { bytes = Array(key.utf8) }
  }
}
