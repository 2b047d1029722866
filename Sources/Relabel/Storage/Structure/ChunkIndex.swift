/// A walk over the extensible array that says where the chunks of one dataset are.
///
/// - Complexity: reads every block of the index once.
struct ChunkIndex {
  let object: Int
  /// Bytes of a chunk before the filters, which an unfiltered chunk also has in the file.
  let chunkBytes: UInt64
  let isFiltered: Bool
  /// Chunks that the dataset has now, or can have along axes that do not grow.
  let chunks: UInt64

  /// The chunks found so far.
  private(set) var table = ChunkTable()
  private var address: UInt64 = 0
  private var elementBytes: UInt64 = 8
  private var sizeBytes = 0
  /// The end of the elements that any block holds.
  private var reach: UInt64 = 0
  private var lastChunk: UInt64?

  init(object: Int, layout: ChunkedLayout, isFiltered: Bool, chunks: UInt64) {
    self.object = object
    self.isFiltered = isFiltered
    self.chunks = chunks
    chunkBytes = layout.chunkBytes
    if isFiltered {
      // As many bytes as hold the size of a chunk, and one to spare: filters can make it grow.
      let bits = UInt64.bitWidth - chunkBytes.leadingZeroBitCount
      sizeBytes = min(1 + (bits + 7) / 8, 8)
      elementBytes = UInt64(8 + sizeBytes + 4)
    }
  }

  /// Follows the index from its header; the extents of blocks and chunks go to `reader`.
  mutating func walk(from address: UInt64, _ reader: inout BlockReader) throws(Halt) {
    self.address = address
    let header = try block(.indexHeader, at: address, count: 72, "EAHD", &reader)
    var fields = header.fields(from: 6)
    guard try fields.number(1) == elementBytes,
      try fields.take(5).elementsEqual(ArrayGeometry.headerParameters)
    else { throw fields.refused("describes another kind of index than its dataset") }
    try fields.skip(32)
    let end = try fields.number(8)
    try fields.skip(8)
    let indexBlock = try fields.number(8)
    if indexBlock != BlockReader.undefined { try walkIndexBlock(indexBlock, &reader) }
    guard end <= reach, end <= reader.source.byteCount, lastChunk.map({ $0 < end }) ?? true else {
      throw header.contradicted("counts \(end) chunks, which are not those of its blocks")
    }
  }

  private mutating func walkIndexBlock(
    _ start: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) {
    let bytes = ArrayGeometry.indexBlockBytes(elementBytes)
    let block = try block(.indexBlock, at: start, count: bytes, "EAIB", &reader)
    var fields = try ownFields(block)
    try readElements(&fields, from: 0, count: ArrayGeometry.indexElements, &reader)
    var first = ArrayGeometry.indexElements
    for number in 0..<ArrayGeometry.directGroups {
      try walkDataBlocks(&fields, of: number, from: first, written: nil, &reader)
      first += ArrayGeometry.elements(ofGroup: number)
    }
    for number in ArrayGeometry.directGroups..<ArrayGeometry.groups {
      let place = try fields.number(8)
      if place != BlockReader.undefined {
        try walkSuperBlock(place, number, from: first, &reader)
      }
      first += ArrayGeometry.elements(ofGroup: number)
    }
  }

  private mutating func walkSuperBlock(
    _ start: UInt64,
    _ number: Int,
    from first: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) {
    let bytes = ArrayGeometry.superBlockBytes(number)
    let block = try block(.indexSuperBlock, at: start, count: bytes, "EASB", &reader)
    var fields = try ownFields(block)
    try fields.skip(ArrayGeometry.numberBytes)
    let written = Array(try fields.take(ArrayGeometry.pageBitsBytes(number)))
    try walkDataBlocks(&fields, of: number, from: first, written: written, &reader)
  }

  /// Follows the addresses of a group's data blocks.
  private mutating func walkDataBlocks(
    _ addresses: inout FieldReader,
    of number: Int,
    from first: UInt64,
    written: [UInt8]?,
    _ reader: inout BlockReader
  ) throws(Halt) {
    let (blocks, elements) = ArrayGeometry.group(number)
    let pages = ArrayGeometry.pages(elements)
    for place in 0..<blocks {
      let start = try addresses.number(8)
      if start == BlockReader.undefined { continue }
      let firstElement = first + UInt64(place) * elements
      let bytes = ArrayGeometry.dataBlockBytes(elements, elementBytes)
      try reader.claim(.indexDataBlock, of: object, at: start, count: bytes)
      reach = max(reach, firstElement + elements)
      if pages == 0 {
        try walkDataBlock(start, from: firstElement, count: elements, &reader)
        continue
      }
      try walkDataBlock(start, from: firstElement, count: 0, &reader)
      for page in 0..<pages {
        let bit = Int(UInt64(place) * pages + page)
        guard let written, written[bit / 8] & 0x80 >> UInt8(bit % 8) != 0 else { continue }
        try walkPage(page, ofBlockAt: start, from: firstElement, &reader)
      }
    }
  }

  private mutating func walkDataBlock(
    _ start: UInt64,
    from first: UInt64,
    count: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) {
    let bytes =
      ArrayGeometry.prefixBytes + ArrayGeometry.numberBytes + Int(count * elementBytes) + 4
    let block = try reader.read(.indexDataBlock, at: start, count: bytes)
    try require(block, "EADB")
    var fields = try ownFields(block)
    try fields.skip(ArrayGeometry.numberBytes)
    try readElements(&fields, from: first, count: count, &reader)
  }

  private mutating func walkPage(
    _ page: UInt64,
    ofBlockAt start: UInt64,
    from first: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) {
    let bytes = ArrayGeometry.pageElements * elementBytes + 4
    let head = UInt64(ArrayGeometry.prefixBytes + ArrayGeometry.numberBytes + 4)
    let block = try reader.read(
      .indexDataBlock,
      at: start + head + page * bytes,
      count: Int(bytes)
    )
    try block.requireChecksum()
    var fields = block.fields(from: 0)
    let count = ArrayGeometry.pageElements
    try readElements(&fields, from: first + page * count, count: count, &reader)
  }

  /// Reads the places of `count` chunks, the first of which has the number `first`.
  private mutating func readElements(
    _ fields: inout FieldReader,
    from first: UInt64,
    count: UInt64,
    _ reader: inout BlockReader
  ) throws(Halt) {
    reach = max(reach, first + count)
    for number in first..<first + count {
      let start = try fields.number(8)
      var (bytes, skipped) = (chunkBytes, UInt64(0))
      if isFiltered {
        bytes = try fields.number(sizeBytes)
        skipped = try fields.number(4)
      }
      if start == BlockReader.undefined { continue }
      guard number < chunks else {
        throw fields.refused("lists chunk \(number), but the dataset has only \(chunks)")
      }
      lastChunk = number
      try reader.claim(.chunk, of: object, at: start, count: bytes)
      table.add(
        Int(number),
        ChunkTable.Place(
          start: start,
          byteCount: Int(clamping: bytes),
          skippedFilters: UInt32(truncatingIfNeeded: skipped)
        )
      )
    }
  }
}

extension ChunkIndex {
  /// Claims, reads and checks a block of the index.
  private func block(
    _ part: Part,
    at start: UInt64,
    count: UInt64,
    _ signature: StaticString,
    _ reader: inout BlockReader
  ) throws(Halt) -> Block {
    try reader.claim(part, of: object, at: start, count: count)
    let block = try reader.read(part, at: start, count: Int(count))
    try require(block, signature)
    return block
  }

  private func require(_ block: Block, _ signature: StaticString) throws(Halt) {
    try block.require(signature: signature, version: 0)
    try block.requireChecksum()
    guard block.bytes[5] == (isFiltered ? 1 : 0) else {
      throw block.contradicted("is of another kind than its dataset's filters")
    }
  }

  /// The fields of a block behind the address of the index's header, which must be right.
  private func ownFields(_ block: Block) throws(Halt) -> FieldReader {
    var fields = block.fields(from: 6)
    guard try fields.number(8) == address else {
      throw block.contradicted("belongs to another index")
    }
    return fields
  }
}
