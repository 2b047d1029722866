/// The proportions of the extensible array that HDF5 indexes chunks with.
///
/// The library has no setting for them, so every file has the same. Elements stand in an index
/// block, then in data blocks of growing size; the farther ones are listed in super blocks.
enum ArrayGeometry {
  /// Bits of an element's number, elements of the index block, data blocks of the first super
  /// block that is a block, elements of the smallest data block, bits of a page: as in the layout.
  static let layoutParameters: [UInt8] = [32, 4, 4, 16, 10]
  /// The same in the order of the index's own header.
  static let headerParameters: [UInt8] = [32, 4, 16, 4, 10]

  /// Elements of the index block.
  static let indexElements: UInt64 = 4
  /// The elements of a page; larger data blocks are cut into pages with a checksum each.
  static let pageElements: UInt64 = 1_024
  /// Groups of data blocks that the index block lists itself.
  static let directGroups = 4
  /// All groups.
  static let groups = 29
  /// Bytes of an element's number.
  static let numberBytes = 4
  /// Signature, version, kind and the address of the index's header.
  static let prefixBytes = 14

  /// How many data blocks a group has, and how many elements each.
  static func group(_ number: Int) -> (blocks: Int, elements: UInt64) {
    (1 << (number / 2), 16 << UInt64((number + 1) / 2))
  }

  /// How many elements all data blocks of a group have.
  static func elements(ofGroup number: Int) -> UInt64 {
    let (blocks, elements) = group(number)
    return UInt64(blocks) * elements
  }

  /// Bytes of the index block.
  static func indexBlockBytes(_ elementBytes: UInt64) -> UInt64 {
    let direct = (0..<directGroups).reduce(0) { $0 + group($1).blocks }
    let addresses = UInt64(direct + groups - directGroups)
    return UInt64(prefixBytes) + indexElements * elementBytes + 8 * addresses + 4
  }

  /// Pages of a data block, 0 for a block that is not cut.
  static func pages(_ elements: UInt64) -> UInt64 {
    elements > pageElements ? elements / pageElements : 0
  }

  /// Bytes of the bits in a super block that say which pages were written.
  static func pageBitsBytes(_ number: Int) -> Int {
    let (blocks, elements) = group(number)
    return blocks * Int((pages(elements) + 7) / 8)
  }

  static func superBlockBytes(_ number: Int) -> UInt64 {
    UInt64(prefixBytes + numberBytes + pageBitsBytes(number) + 8 * group(number).blocks + 4)
  }

  static func dataBlockBytes(_ elements: UInt64, _ elementBytes: UInt64) -> UInt64 {
    let checksums = 4 * (1 + pages(elements))
    return UInt64(prefixBytes + numberBytes) + elements * elementBytes + checksums
  }
}
