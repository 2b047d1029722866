/// The first bytes of a shard (spec, "Superblock and library bounds").
struct Superblock {
  static let byteCount = 48
  private static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Where the object header of the root group begins.
  let rootAddress: UInt64

  /// Reads the superblock from the first bytes of a file, as many as it has up to `byteCount`.
  ///
  /// - Throws: the rule of family S that they break, or C001 for a wrong checksum.
  init(_ bytes: [UInt8], fileBytes: UInt64) throws(Violation) {
    guard bytes.starts(with: Self.signature), bytes.count > 8 else {
      if GitLFSPointer.begins(bytes) { throw Violation(.s001, GitLFSPointer.fault) }
      throw Violation(.s001, "the file does not start with the HDF5 signature: it is no HDF5 file")
    }
    guard bytes[8] == 3 else {
      throw Violation(
        .s002,
        "the superblock has version \(bytes[8]), not 3: no writer of shards makes such HDF5 files"
      )
    }
    guard bytes.count == Self.byteCount else {
      throw Violation(.s004, "the file ends within its superblock")
    }
    guard bytes[9] == 8, bytes[10] == 8 else {
      throw Violation(.s002, "offsets and lengths have \(bytes[9]) and \(bytes[10]) bytes, not 8")
    }
    guard bytes[12..<20].allSatisfy({ $0 == 0 }), bytes[20..<28].allSatisfy({ $0 == 0xFF }) else {
      throw Violation(.s002, "the superblock has a base address or an extension")
    }
    // Bit 0: open for writing; bit 2: open for single-writer access; the others are reserved.
    guard bytes[11] == 0 else {
      throw Violation(.s003, "the write flag is set: the writer died before it closed the file")
    }
    let end = Self.number(bytes[28..<36])
    guard end == fileBytes else {
      let what = fileBytes < end ? "truncated" : "followed by other bytes"
      throw Violation(
        .s004,
        "the file has \(fileBytes) bytes, its superblock says \(end): \(what)"
      )
    }
    guard Lookup3.checksum(bytes, count: 44) == Self.number(bytes[44..<48]) else {
      throw Violation(.c001, "the superblock does not match its checksum")
    }
    rootAddress = Self.number(bytes[36..<44])
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
