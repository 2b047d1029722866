import Glibc
internal import Relabel

/// Looks at the first bytes of a file before the HDF5 library sees it (spec, "Superblock").
struct Preflight {
  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let superblockBytes = 48

  /// The first broken rule, or nil when the library may open the file.
  ///
  /// - Throws: `.io` when the file can't be read.
  static func violation(_ path: String) throws(RelabelError) -> Violation? {
    let fileBytes = try Folder.fileBytes(path)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("can't be opened", path) }
    defer { _ = close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: superblockBytes)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system("can't be read", path) }
    return violation(Array(bytes[..<count]), fileBytes: UInt64(fileBytes))
  }

  private static func violation(_ bytes: [UInt8], fileBytes: UInt64) -> Violation? {
    guard bytes.starts(with: signature), bytes.count > 8 else {
      return Violation(
        "S001",
        "the file does not start with the HDF5 signature: it is no HDF5 file"
      )
    }
    guard bytes[8] == 3 else {
      return Violation(
        "S002",
        "the superblock has version \(bytes[8]), not 3: no writer of shards makes such HDF5 files"
      )
    }
    guard bytes.count == superblockBytes else {
      return Violation("S004", "the file ends within its superblock")
    }
    guard bytes[9] == 8, bytes[10] == 8 else {
      return Violation("S002", "offsets and lengths have \(bytes[9]) and \(bytes[10]) bytes, not 8")
    }
    guard bytes[12..<20].allSatisfy({ $0 == 0 }), bytes[20..<28].allSatisfy({ $0 == 0xFF }) else {
      return Violation("S002", "the superblock has a base address or an extension")
    }
    // Bit 0: open for writing; bit 2: open for single-writer access; the others are reserved.
    guard bytes[11] == 0 else {
      return Violation("S003", "the write flag is set: the writer died before it closed the file")
    }
    let end = bytes[28..<36].reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    guard end == fileBytes else {
      let what = fileBytes < end ? "truncated" : "followed by other bytes"
      return Violation(
        "S004",
        "the file has \(fileBytes) bytes, its superblock says \(end): \(what)"
      )
    }
    return nil
  }
}
