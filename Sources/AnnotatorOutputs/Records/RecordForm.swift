import Relabel

/// The fixed part that every record begins with (stream.md, section 3).
struct RecordHead {
  enum Kind: UInt8 {
    case end, sparse, dense, leftOut
  }

  let kind: Kind
  let scalar: NumPyScalar
  /// Bytes of a class id.
  let idBytes: Int
  let height: Int
  let width: Int
  /// Entries of a cell: k, or all classes of a dense map.
  let entries: Int
  let keyBytes: Int
  /// Records that the end record counts.
  let count: Int

  /// Bytes of the fixed part, without the record's length.
  static let bytes: Int = 16

  /// Reads the fixed part.
  ///
  /// - Throws: `.invalidInput` naming the record.
  init(_ bytes: [UInt8], record: Int) throws(RelabelError) {
    func number(_ first: Int, _ count: Int) -> Int {
      bytes[first..<first + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    func wrong(_ what: String) -> RelabelError {
      RelabelError(.invalidInput, "record \(record) has the \(what)")
    }
    guard let kind = Kind(rawValue: bytes[0]) else {
      throw wrong("kind \(bytes[0]); kinds are 0 (end), 1 (sparse), 2 (dense) and 3 (left out)")
    }
    self.kind = kind
    guard bytes[3] == 0 else { throw wrong("value \(bytes[3]) in a byte that is 0 in version 1.0") }
    if kind == .end {
      guard bytes.count == Self.bytes, bytes[1] == 0, bytes[2] == 0,
        number(4, 4) == 0, bytes[15] < 0x40
      else { throw wrong("kind of the end record, but not its form") }
      (scalar, idBytes, height, width, entries, keyBytes) = (.float32, 0, 0, 0, 0, 0)
      count = number(8, 8)
      return
    }
    if kind == .leftOut {
      guard bytes[1..<12].allSatisfy({ $0 == 0 }) else {
        throw wrong("kind of an image that is left out, but not its form")
      }
      (scalar, idBytes, height, width, entries) = (.float32, 0, 0, 0, 0)
      (keyBytes, count) = (number(12, 4), 0)
      return
    }
    switch bytes[1] {
    case 1: scalar = .float16
    case 2: scalar = .bfloat16
    case 3: scalar = .float32
    default:
      throw wrong("score type \(bytes[1]); types are 1 (float16), 2 (bfloat16) and 3 (float32)")
    }
    idBytes = Int(bytes[2])
    guard kind == .dense ? idBytes == 0 : idBytes == 2 || idBytes == 4 else {
      throw wrong("id type \(idBytes); ids take 2 or 4 bytes, dense maps have none (0)")
    }
    (height, width) = (number(4, 2), number(6, 2))
    (entries, keyBytes, count) = (number(8, 4), number(12, 4), 0)
  }
}

/// How the labels of a record lie in its bytes.
struct RecordForm {
  let description: any MapDescription
  /// Bytes of the labels.
  let bytes: Int
  /// What they are, for people.
  let words: String

  /// - Throws: `.invalidInput` for sizes that no map has; `.unsafeInput` for one that is too large.
  init(_ head: RecordHead, _ options: InputOptions) throws(RelabelError) {
    if head.kind == .dense {
      let header = try NumPyHeader(head.scalar, shape: [head.entries, head.height, head.width])
      let layout = try DenseLayout(header, options)
      description = layout
      bytes = layout.rowBytes
      words = "scores [\(head.entries), \(head.height), \(head.width)] of \(head.scalar.typeName)"
      return
    }
    if let fault = Limits.fault(height: head.height, width: head.width, topK: head.entries) {
      throw RelabelError(.invalidInput, fault)
    }
    try SparseMap.checkIDs(
      as: "uint\(8 * head.idBytes)",
      held: head.idBytes == 2 ? 1 << 16 : .max,
      classes: options.numClasses
    )
    let shape = MapShape(height: head.height, width: head.width, topK: head.entries)
    let map = RecordMap(
      shape: shape,
      scalar: head.scalar,
      idBytes: head.idBytes,
      topK: options.topK
    )
    description = map
    bytes = shape.entries * (head.idBytes + map.scoreBytes)
    words = "entries [\(head.height), \(head.width), \(head.entries)]"
  }
}

/// The label map of a sparse record: all class ids, then all scores.
struct RecordMap: MapDescription {
  let shape: MapShape
  let scalar: NumPyScalar
  let idBytes: Int
  /// Classes to keep; nil for all.
  let topK: Int?

  /// Bytes of a score.
  var scoreBytes: Int { scalar == .float32 ? 4 : 2 }

  var traits: MapTraits { MapTraits(dialect: "records") }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    let bytes = try region.read(limit: Limits.denseBytes, path: path())
    let entries = shape.entries
    let map = bytes.withUnsafeBytes { raw in
      let ids = [UInt32](unsafeUninitializedCapacity: entries) { ids, filled in
        for entry in 0..<entries {
          ids[entry] =
            idBytes == 2
            ? UInt32(
              UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 * entry, as: UInt16.self))
            ) : UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * entry, as: UInt32.self))
        }
        filled = entries
      }
      let scores = UnsafeRawBufferPointer(rebasing: raw[(entries * idBytes)...])
      return LabelMap(
        shape: shape,
        classIndex: ids,
        score: NumPyValues.floats(scalar, scores, entries)
      )
    }
    return LoadedMap(try SparseMap.keepingBest(topK, of: map))
  }
}
