/// Why a walk does not go on where it is.
enum Halt: Error {
  /// The bytes break a rule.
  case broken(Violation)
  /// The system refuses.
  case failed(RelabelError)
  /// More bytes are owned than the file has: some of them by two parts.
  case exhausted
}

/// One block of a file's structure, in memory.
struct Block {
  let part: Part
  let start: UInt64
  let bytes: [UInt8]

  /// For example "the object header at byte 48".
  var name: String { "the \(part.words) at byte \(start)" }

  /// The fields from `offset` on, up to `end` or to the checksum.
  func fields(from offset: Int, to end: Int? = nil) -> FieldReader {
    FieldReader(
      bytes,
      from: offset,
      to: end ?? bytes.count - 4,
      at: start,
      name: "the \(part.words)",
      origin: start
    )
  }

  /// Refuses a block that does not begin with its signature and version.
  func require(signature: StaticString, version: UInt8) throws(Halt) {
    let wanted = signature.withUTF8Buffer { Array($0) }
    guard bytes.count > wanted.count, bytes.starts(with: wanted) else {
      throw damaged("does not begin with \(signature)")
    }
    guard bytes[wanted.count] == version else {
      throw damaged("is of version \(bytes[wanted.count]), not \(version)")
    }
  }

  /// Refuses a block whose last four bytes are not the checksum of the others.
  func requireChecksum() throws(Halt) {
    guard bytes.count >= 4 else { throw damaged("is too short for a checksum") }
    let stored = bytes.suffix(4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    if Lookup3.checksum(bytes, count: bytes.count - 4) != stored {
      throw damaged("does not match its checksum")
    }
  }

  /// A finding of damage: what is `wrong` with this block.
  func damaged(_ wrong: String) -> Halt { .broken(Violation(.c001, "\(name) \(wrong)")) }

  /// A finding that this block, whose checksum is right, contradicts what leads to it.
  func contradicted(_ wrong: String) -> Halt { .broken(Violation(.c012, "\(name) \(wrong)")) }
}

/// Reads blocks of a file and keeps account of who owns which bytes.
struct BlockReader {
  let source: any ByteSource
  private(set) var extents: Extents

  init(_ source: any ByteSource) {
    self.source = source
    extents = Extents(fileBytes: source.byteCount)
  }

  /// What HDF5 stores for "nowhere".
  static let undefined = UInt64.max

  /// Notes that the superblock owns the first bytes of the file.
  mutating func claimSuperblock() {
    extents.add(.superblock, of: 0, at: 0, count: UInt64(Superblock.byteCount))
  }

  /// Notes that `part` owns `count` bytes from `start`.
  ///
  /// Ends the walk when more bytes are owned than the file has, so no chain of blocks is endless.
  mutating func claim(
    _ part: Part,
    of object: Int,
    at start: UInt64,
    count: UInt64
  ) throws(Halt) {
    try requireInside(part, at: start, count: count)
    extents.add(part, of: object, at: start, count: count)
    if extents.isExhausted { throw .exhausted }
  }

  /// Refuses a block that would begin or end outside the file.
  func requireInside(_ part: Part, at start: UInt64, count: UInt64) throws(Halt) {
    let fileBytes = extents.fileBytes
    guard start <= fileBytes, count <= fileBytes - start else {
      throw .broken(
        Violation(
          .c001,
          "the \(part.words) at byte \(start) should have \(count) bytes and would end outside the file"
        )
      )
    }
  }

  /// The bytes of a block that was claimed, or of a part of it.
  func read(_ part: Part, at start: UInt64, count: Int) throws(Halt) -> Block {
    do {
      return Block(part: part, start: start, bytes: try source.bytes(at: start, count: count))
    } catch {
      throw .failed(error)
    }
  }
}
