/// A block outside the profile that a message leads to: other rules refuse the file for it, but
/// the library opens the block before they can.
struct ForeignBlock {
  let address: UInt64
  private let signature: StaticString
  private let version: UInt8
  /// Bytes with the checksum at their end; nil for a block that has none.
  private let checkedBytes: UInt64?

  /// The heap of links or attributes in dense storage.
  static func fractalHeap(_ address: UInt64) -> ForeignBlock {
    ForeignBlock(address: address, signature: "FRHP", version: 0, checkedBytes: 146)
  }

  /// The index of links or attributes in dense storage.
  static func tree(_ address: UInt64) -> ForeignBlock {
    ForeignBlock(address: address, signature: "BTHD", version: 0, checkedBytes: 38)
  }

  /// The heap with the names of external files.
  static func localHeap(_ address: UInt64) -> ForeignBlock {
    ForeignBlock(address: address, signature: "HEAP", version: 0, checkedBytes: nil)
  }

  /// The heap with the sources of a virtual dataset.
  static func globalHeap(_ address: UInt64) -> ForeignBlock {
    ForeignBlock(address: address, signature: "GCOL", version: 1, checkedBytes: nil)
  }

  /// Refuses an address that leads to something else.
  func require(_ reader: BlockReader) throws(Halt) {
    let count = checkedBytes ?? UInt64(signature.utf8CodeUnitCount) + 1
    try reader.requireInside(.foreign, at: address, count: count)
    let block = try reader.read(.foreign, at: address, count: Int(count))
    try block.require(signature: signature, version: version)
    if checkedBytes != nil { try block.requireChecksum() }
  }
}
