/// What the messages of one object header say, as far as a walk needs it.
struct HeaderContents {
  private(set) var links: [LinkMessage] = []
  /// Where types are that the object shares with others.
  private(set) var committedTypes: [UInt64] = []
  private(set) var references: UInt64?
  private(set) var layout: LayoutMessage?
  private(set) var dataspace: DataspaceMessage?
  private(set) var filters: FilterMessage?
  /// Where links, attributes or lists lie that are not in the header; other rules refuse that.
  private(set) var foreignBlocks: [ForeignBlock] = []
  /// True when values of attributes or elements lie elsewhere, which other rules refuse, too.
  private(set) var hasForeignValues = false

  /// The attributes by the bytes of their names; none where they lie elsewhere.
  private(set) var attributes: [[UInt8]: Attribute] = [:]
  /// Bytes of all attributes.
  private(set) var attributeBytes = 0
  /// False when attributes lie in a heap.
  private(set) var hasCompactAttributes = true
  /// False when links lie in a heap.
  private(set) var hasCompactLinks = true
  private(set) var elementType: ElementType?
  private(set) var fill: FillValueMessage?

  private var elementBytes: UInt64?
  private var fillBytes: UInt64?
  private var kinds: Set<MessageKind> = []

  /// Reads every message strictly: the library trusts what has the right checksum.
  init(_ header: ObjectHeader) throws(Halt) {
    for message in header.messages {
      var fields = message.fields
      guard kinds.insert(message.kind).inserted || message.kind.mayRepeat else {
        throw fields.refused("is there twice")
      }
      try read(message, &fields)
    }
  }

  private mutating func read(
    _ message: HeaderMessage,
    _ fields: inout FieldReader
  ) throws(Halt) {
    switch message.kind {
    case .empty, .continuation: break
    case .link: links.append(try LinkMessage(&fields))
    case .linkInfo, .attributeInfo:
      let blocks = try GroupMessages.denseStorage(&fields)
      foreignBlocks += blocks
      if message.kind == .linkInfo {
        hasCompactLinks = blocks.isEmpty
      } else {
        hasCompactAttributes = blocks.isEmpty
      }
    case .groupInfo: try GroupMessages.requireGroupInfo(&fields)
    case .attribute:
      attributeBytes += fields.remaining
      let attribute = try AttributeMessage(&fields)
      hasForeignValues = hasForeignValues || !attribute.isPlain
      if let type = attribute.committedType { committedTypes.append(type) }
      // The library would show the first of two, another reader perhaps the second.
      guard attributes.updateValue(attribute.attribute, forKey: attribute.name) == nil else {
        throw fields.refused("is there twice")
      }
    case .datatype where message.isShared:
      committedTypes.append(try CommittedType(&fields).address)
      elementType = .committed
    case .datatype:
      let datatype = try DatatypeMessage(&fields)
      try fields.requireEnd()
      elementBytes = datatype.size
      elementType = datatype.type
      hasForeignValues = hasForeignValues || !datatype.isPlain
    case .dataspace: dataspace = try DataspaceMessage(&fields)
    case .layout:
      layout = try LayoutMessage(&fields)
      if case .virtual(let sources)? = layout, sources != BlockReader.undefined {
        foreignBlocks.append(.globalHeap(sources))
      }
    case .filters: filters = try FilterMessage(&fields)
    case .fillValue:
      let value = try FillValueMessage(&fields)
      fillBytes = value.size
      fill = value
    case .externalFiles: try requireExternalFiles(&fields)
    case .referenceCount:
      guard try fields.byte() == 0 else { throw fields.refused("is of no known version") }
      references = try fields.number(4)
      try fields.requireEnd()
    }
  }

  /// A list of other files; another rule reports that there is one.
  private mutating func requireExternalFiles(_ fields: inout FieldReader) throws(Halt) {
    guard try fields.byte() == 1 else { throw fields.refused("is of no known version") }
    try fields.skip(3)
    let slots = (allocated: try fields.number(2), used: try fields.number(2))
    guard slots.used > 0, slots.used <= slots.allocated else { throw fields.refused("is empty") }
    foreignBlocks.append(.localHeap(try fields.number(8)))
    try fields.skip(24 * Int(slots.used))
    try fields.requireEnd()
  }

  /// True when elements lie in other files.
  var hasExternalFiles: Bool { kinds.contains(.externalFiles) }

  /// What the object is.
  enum Kind {
    case group, dataset, type
  }

  private static let groupKinds: Set<MessageKind> = [.link, .linkInfo, .groupInfo]
  private static let datasetKinds: Set<MessageKind> = [
    .dataspace, .layout, .filters, .fillValue, .externalFiles,
  ]

  /// The kind of object that its messages make, or what is `wrong` with them.
  func kind() -> Result<Kind, Contradiction> {
    if !kinds.isDisjoint(with: Self.groupKinds) {
      guard kinds.isDisjoint(with: Self.datasetKinds), !kinds.contains(.datatype),
        kinds.contains(.linkInfo)
      else { return .failure(Contradiction("has messages that don't make a group")) }
      return .success(.group)
    }
    guard kinds.contains(.datatype) else {
      return .failure(Contradiction("has messages that make neither group nor dataset"))
    }
    if kinds.isDisjoint(with: Self.datasetKinds) { return .success(.type) }
    return contradiction().map { .failure($0) } ?? .success(.dataset)
  }

  /// Where the messages of a dataset contradict each other.
  private func contradiction() -> Contradiction? {
    guard let dataspace, let layout else { return Contradiction("has no dataspace or no layout") }
    if let fillBytes, let elementBytes, ![0, elementBytes].contains(fillBytes) {
      return Contradiction("has a fill value of \(fillBytes) bytes for elements of \(elementBytes)")
    }
    guard case .chunked(let chunked) = layout else {
      let isContiguous = if case .contiguous = layout { true } else { false }
      guard !kinds.contains(.externalFiles) || isContiguous, !kinds.contains(.filters) else {
        return Contradiction("has filters or other files that don't belong to its storage")
      }
      return nil
    }
    guard !kinds.contains(.externalFiles) else { return Contradiction("has chunks in other files") }
    guard chunked.chunk.count == dataspace.shape.count + 1 else {
      return Contradiction("has chunks of another rank than its dataspace")
    }
    if let elementBytes, chunked.chunk.last != elementBytes {
      return Contradiction("has chunks of other elements than its datatype")
    }
    if let shuffled = filters?.shuffledBytes, shuffled != chunked.chunk.last {
      return Contradiction("shuffles elements of \(shuffled) bytes and has others")
    }
    let growing = dataspace.maximumShape.count { $0 == nil }
    let isFitting =
      switch chunked.index {
      case .extensibleArray: growing == 1
      case .tree: growing > 1
      default: growing == 0
      }
    return isFitting ? nil : Contradiction("has a chunk index of the wrong kind for its shape")
  }
}

/// Two messages of an object header that can't both be true.
struct Contradiction: Error {
  let words: String

  init(_ words: String) { self.words = words }
}
