/// Looks at the first bytes of a file before the HDF5 library sees it (spec, "Superblock").
package enum Preflight {
  /// The first broken rule, or nil when the structure may be read.
  ///
  /// - Throws: `.io` when the file can't be read.
  package static func violation(_ file: some ByteSource) throws(RelabelError) -> Violation? {
    let count = min(file.byteCount, UInt64(Superblock.byteCount))
    let bytes = try file.bytes(at: 0, count: Int(count))
    do {
      _ = try Superblock(bytes, fileBytes: file.byteCount)
      return nil
    } catch {
      return error
    }
  }
}
