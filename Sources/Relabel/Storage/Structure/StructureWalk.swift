/// A walk over the structure of a shard, which readers take everything from but the chunks.
///
/// It knows the part of HDF5 that section 3 of the spec allows, and refuses what the library would
/// trust: damaged blocks (C001), extents that overlap (C011), what the profile does not name (C012),
/// and stored times (C013). What other rules refuse is left to them. Stored chunks are not read.
package struct StructureWalk {
  private var reader: BlockReader
  private var violations: [Violation] = []
  private var chunks: [String: ChunkTable] = [:]
  /// What has been found, in order; an object's place is its number in the extents.
  private var objects: [FoundObject] = []
  /// The numbers of the objects by their addresses.
  private var numbers: [UInt64: Int] = [:]
  /// False if parts of the file were not followed because of something that another rule reports.
  private var isWhole = true
  /// What the root group and its datasets say, and what is left to say.
  private(set) var said = SaidContents()

  private init(_ source: any ByteSource) { reader = BlockReader(source) }

  /// An object and the way that led to it.
  private struct FoundObject {
    enum Role { case root, linked, type }

    let role: Role
    let address: UInt64
    /// The name of its link; the root group and committed types have none.
    let name: String?
    /// Links that lead to it.
    var links = 1
  }

  /// The root group, the datasets, and some to spare for what other rules refuse.
  private static let maximumObjects = 1_000

  /// What a walk finds.
  package struct Findings: Sendable {
    /// The broken rules.
    package let violations: [Violation]
    /// Who owns which bytes, as far as the walk came.
    package let extents: [Extent]
    /// Where the chunks of datasets lie, by name, for those whose whole index was followed.
    package let chunks: [String: ChunkTable]
    /// What the file says of its root group and datasets; nil when something broken was found.
    package let contents: FileContents?
    /// True when `contents` holds everything that the HDF5 library would tell.
    package let isComplete: Bool

    /// True when nothing is wrong with the structure but stored times, which do no harm.
    package var isSound: Bool { violations.allSatisfy(\.isHarmless) }
  }

  /// What a walk over any bytes finds; it ends, whatever they are.
  ///
  /// - Throws: what the source throws.
  /// - Complexity: reads the structure once; 28 bytes of memory for each chunk.
  package static func findings(_ source: any ByteSource) throws(RelabelError) -> Findings {
    var walk = StructureWalk(source)
    try walk.run()
    let contents = walk.violations.allSatisfy(\.isHarmless) ? walk.said.contents : nil
    return Findings(
      violations: walk.violations,
      extents: walk.reader.extents.all,
      chunks: walk.chunks,
      contents: contents,
      isComplete: contents.map(SaidContents.isComplete) ?? false
    )
  }

  private mutating func run() throws(RelabelError) {
    let fileBytes = reader.source.byteCount
    let count = min(fileBytes, UInt64(Superblock.byteCount))
    let first = try reader.source.bytes(at: 0, count: Int(count))
    let superblock: Superblock
    do {
      superblock = try Superblock(first, fileBytes: fileBytes)
    } catch {
      violations = [error]
      return
    }
    reader.claimSuperblock()
    objects = [FoundObject(role: .root, address: superblock.rootAddress, name: nil)]
    numbers = [superblock.rootAddress: 0]
    var next = 0
    while next < objects.count, !reader.extents.isExhausted {
      try examine(next)
      next += 1
    }
    // What a broken block seems to own means nothing; times break nothing.
    guard violations.allSatisfy(\.isHarmless) else { return }
    let extents = reader.extents.inOrder()
    reportOverlaps(extents)
    if violations.isEmpty, isWhole { try reportHiddenBytes(extents) }
  }

  /// Walks over one object; what it breaks is a finding, and the others are still examined.
  private mutating func examine(_ number: Int) throws(RelabelError) {
    do {
      try walk(number, objects[number])
    } catch {
      switch error {
      case .broken(let violation): report(violation.rule, violation.message, number)
      case .failed(let failure): throw failure
      case .exhausted: break
      }
    }
  }

  private mutating func report(_ rule: Rule, _ message: String, _ object: Int) {
    violations.append(Violation(rule, message, at: Location(dataset: objects[object].name)))
  }
}

extension StructureWalk {
  private mutating func walk(_ number: Int, _ object: FoundObject) throws(Halt) {
    let header = try ObjectHeader(object.address, of: number, &reader)
    let contents = try HeaderContents(header)
    let subject = "the object at byte \(object.address)"
    let kind: HeaderContents.Kind
    switch contents.kind() {
    case .success(let found): kind = found
    case .failure(let wrong): throw .broken(Violation(.c012, "\(subject) \(wrong.words)"))
    }
    for block in contents.foreignBlocks { try block.require(reader) }
    isWhole = isWhole && contents.foreignBlocks.isEmpty && !contents.hasForeignValues
    try said.note(contents, kind, at: object.address, isRoot: object.role == .root)
    for type in contents.committedTypes { try find(type, as: .type) }
    switch (object.role, kind) {
    case (.root, .group):
      if header.hasTimes { report(.c013, "the times of the root group are stored", number) }
      try followLinks(contents.links)
    case (.linked, .dataset):
      guard case .chunked(let layout)? = contents.layout else { break }
      if header.hasTimes { report(.c013, "the times of this dataset are stored", number) }
      try walkChunks(layout, contents, number)
    case (.linked, _), (.type, .type): isWhole = false
    default: throw .broken(Violation(.c012, "\(subject) is not what leads to it says"))
    }
    // Two names of one object are reported by another rule.
    guard contents.references == nil || objects[number].links > 1 || object.role == .type else {
      throw .broken(Violation(.c012, "\(subject) counts links that no shard has"))
    }
  }

  private mutating func followLinks(_ links: [LinkMessage]) throws(Halt) {
    // More are refused by their number, before the library opens any.
    guard links.count <= Layout.maximumDatasets else { return isWhole = false }
    for link in links {
      guard let address = link.address else {
        isWhole = false
        continue
      }
      try find(address, as: .linked, name: link.name)
    }
  }

  /// Notes an object that something leads to, once.
  private mutating func find(
    _ address: UInt64,
    as role: FoundObject.Role,
    name: String? = nil
  ) throws(Halt) {
    if let known = numbers[address] {
      objects[known].links += 1
      return
    }
    guard objects.count < Self.maximumObjects else {
      let limit = Self.maximumObjects
      throw .broken(Violation(.c006, "the file has more than \(limit) objects"))
    }
    numbers[address] = objects.count
    objects.append(FoundObject(role: role, address: address, name: name))
  }

  private mutating func walkChunks(
    _ layout: ChunkedLayout,
    _ contents: HeaderContents,
    _ number: Int
  ) throws(Halt) {
    guard layout.index == .extensibleArray, let space = contents.dataspace else {
      // Axes that do not grow as they should are reported by another rule.
      return isWhole = false
    }
    let name = objects[number].name ?? ""
    guard layout.indexAddress != BlockReader.undefined else { return chunks[name] = ChunkTable() }
    var index = ChunkIndex(
      object: number,
      layout: layout,
      isFiltered: contents.filters != nil,
      chunks: layout.chunks(of: space.reachableShape) ?? .max
    )
    try index.walk(from: layout.indexAddress, &reader)
    if index.table.isWhole { chunks[name] = index.table.compact }
  }
}

extension StructureWalk {
  /// Pairs of extents that are reported; a hostile file may have millions.
  private static let maximumOverlaps = 1_000
  /// The longest stretch without an owner that writers leave, as far as it isn't empty.
  private static let maximumGap: UInt64 = 64 << 10
  /// A longer stretch is not read to find it empty.
  private static let maximumEmptyGap: UInt64 = 64 << 20

  private mutating func reportOverlaps(_ extents: [Extent]) {
    for (one, other) in Extents.overlaps(extents, limit: Self.maximumOverlaps) {
      let (one, other) = (described(one), described(other))
      violations.append(Violation(.c011, "\(one) and \(other) share bytes"))
    }
  }

  private func described(_ extent: Extent) -> String {
    let name = objects[Int(extent.object)].name.map { " of '\($0)'" } ?? ""
    return "the \(extent.part.words)\(name) (bytes \(extent.start) to \(extent.end - 1))"
  }

  /// Reports long stretches that belong to nothing and hold something.
  private mutating func reportHiddenBytes(_ extents: [Extent]) throws(RelabelError) {
    for gap in reader.extents.gaps(between: extents) where UInt64(gap.count) > Self.maximumGap {
      if UInt64(gap.count) <= Self.maximumEmptyGap, try isEmpty(gap) { continue }
      violations.append(
        Violation(
          .c012,
          "\(gap.count) bytes from byte \(gap.lowerBound) belong to no part of the file"
        )
      )
    }
  }

  private func isEmpty(_ gap: Range<UInt64>) throws(RelabelError) -> Bool {
    for start in stride(from: gap.lowerBound, to: gap.upperBound, by: Int(Self.maximumGap)) {
      let count = min(Self.maximumGap, gap.upperBound - start)
      let bytes = try reader.source.bytes(at: start, count: Int(count))
      if bytes.contains(where: { $0 != 0 }) { return false }
    }
    return true
  }
}

extension Violation {
  fileprivate var isHarmless: Bool { rule == .c013 }
}
