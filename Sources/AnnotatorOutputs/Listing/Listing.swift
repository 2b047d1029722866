import Relabel

/// Gives every image its index and sorts out what doesn't go together.
struct Listing {
  let images: PendingImages
  let unmatched: [String]
  let traits: SourceTraits
  /// Images that are there more than once as equal copies.
  let copies: [String]

  /// Takes the images out of `gathering`.
  ///
  /// - Throws: `.usage` for images and an image list that don't go together, `.io` when a temporary
  ///   file fails.
  /// - Complexity: O(n log n) for n images, of which a few bytes each are in memory.
  init(_ gathering: consuming Gathering) throws(RelabelError) {
    let options = gathering.options
    let list: ImageList?
    if let lines = options.imageList { list = try ImageList(lines) } else { list = nil }
    let rows = try BatchRows(gathering)
    var listed: ListedImages
    if let list, !rows.isEmpty, !gathering.hasSoundKeyed {
      // Which lines a broken batch would have taken can't be known.
      if let error = gathering.firstFailure { throw error }
      // The rows take their keys from the list, so it doesn't have to place them.
      listed = ListedImages(options, nil, gathering.pool)
      try listed.admit(rows, list)
    } else {
      var keyed = gathering.keyed
      try rows.forEach { batch, row, record throws(RelabelError) in
        try keyed.append(batch.key(ofRow: row), record)
      }
      listed = ListedImages(options, list, gathering.pool)
      try keyed.forEach { key, record throws(RelabelError) in try listed.admit(key, record) }
      try listed.finishKey()
    }
    traits = listed.traits.traits()
    copies = listed.copies
    (images, unmatched) = try listed.finish()
  }
}

/// The rows of batches that have no keys of their own.
private struct BatchRows {
  private let batches: [Gathering.Batch]
  private let bytes: SpooledBytes

  init(_ gathering: borrowing Gathering) throws(RelabelError) {
    batches = gathering.batches
    bytes = try gathering.rows.finish()
  }

  var isEmpty: Bool { batches.isEmpty }
  var count: Int { batches.reduce(0) { $0 + $1.rows } }

  func forEach(
    _ body: (Gathering.Batch, Int, EntryRecord) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let size = MemoryLayout<EntryRecord>.size
    var offset = 0
    for batch in batches {
      for row in 0..<batch.rows {
        let record = try bytes.read(at: offset, atMost: size)
        try body(batch, row, record.withUnsafeBytes { $0.loadUnaligned(as: EntryRecord.self) })
        offset += size
      }
    }
  }
}

/// Takes images one by one, in the order of their keys but for batches that follow a list.
private struct ListedImages {
  private var admission: Admission
  private var pool: EntryPool
  private var writer: PendingImages.Writer
  private(set) var traits: SourceTraitsTally
  /// Where the image of each line lies, -1 for none.
  private var lines: [Int]
  /// Where images without a line lie.
  private var unlisted: [Int] = []
  /// Of images that are there more than once.
  private(set) var copies: [String] = []
  /// The images that have the key at hand.
  private var candidates: Candidates?
  /// What the pool calls the description of the last image that was looked at as a whole and found to go with those
  /// before it.
  private var settled: UInt32?

  /// Images of one key.
  private struct Candidates {
    let key: String
    /// The one whose source comes first.
    var first: EntryRecord
    /// Another that is not equal to it, the first of those.
    var second: Entry?
    /// Equal copies of the first.
    var copies: [Place] = []
  }

  init(_ options: InputOptions, _ list: ImageList?, _ pool: EntryPool) {
    admission = Admission(options, list)
    lines = [Int](repeating: -1, count: list?.keys.count ?? 0)
    self.pool = pool
    writer = PendingImages.Writer(directory: options.spoolDirectory)
    traits = SourceTraitsTally(options)
  }

  /// Rows of batches take the lines of the list in order.
  mutating func admit(_ rows: BatchRows, _ list: ImageList) throws(RelabelError) {
    guard rows.count == list.keys.count else {
      throw RelabelError(
        .usage,
        "the image list has \(list.keys.count) lines, the batches hold \(rows.count) maps;"
          + " give one line for each map, in order"
      )
    }
    try rows.forEach { _, _, record throws(RelabelError) in
      try admit(list.keys[writer.count], pool.entry(record))
    }
  }

  /// Takes the next image in the order of keys.
  mutating func admit(_ key: String, _ record: EntryRecord) throws(RelabelError) {
    guard var known = candidates, known.key.utf8.elementsEqual(key.utf8) else {
      try finishKey()
      candidates = Candidates(key: key, first: record)
      return
    }
    let (entry, first) = (pool.entry(record), pool.entry(known.first))
    func comesBefore(_ a: Entry, _ b: Entry) -> Bool {
      a.place.description(key: key) < b.place.description(key: key)
    }
    if try EqualCopy.isCopy(first, entry, key: key) {
      let isBefore = comesBefore(entry, first)
      if isBefore { known.first = record }
      known.copies.append(isBefore ? first.place : entry.place)
    } else {
      let sources = ([first, entry] + [known.second].compactMap(\.self)).sorted(by: comesBefore)
      (known.first, known.second) = (pool.record(sources[0]), sources[1])
    }
    candidates = known
  }

  /// Admits the one image of the key at hand; where there are several that differ, it fails and names two.
  mutating func finishKey() throws(RelabelError) {
    guard let known = candidates else { return }
    candidates = nil
    if known.second == nil, known.copies.isEmpty, isSettled(known.first),
      ImageKey.fault(known.key) == nil
    {
      try write(known.key, known.first, index: writer.count)
      return
    }
    let first = pool.entry(known.first)
    if known.second == nil {
      copies += known.copies.map { EqualCopy.words(of: $0, and: first.place, key: known.key) }
    }
    let duplicate = known.second.map { (first.place, $0.place) }
    try admit(known.key, first, duplicate: duplicate)
  }

  /// True for an image of which nothing but the key has to be looked at: it is described as one before it.
  private func isSettled(_ record: EntryRecord) -> Bool {
    admission.list == nil && record.payloadKind == .map && record.description == settled
  }

  private mutating func admit(
    _ key: String,
    _ found: Entry,
    duplicate: (Place, Place)? = nil
  ) throws(RelabelError) {
    var entry = admission.check(key, found, duplicate: duplicate)
    try traits.add(entry)
    let line = admission.line(of: key, &entry)
    let index = admission.list == nil ? writer.count : line ?? -1
    let record = pool.record(entry)
    if record.payloadKind == .map { settled = record.description }
    let offset = try write(key, record, index: index)
    if let line { lines[line] = offset } else if admission.list != nil { unlisted.append(offset) }
  }

  @discardableResult
  private mutating func write(
    _ key: String,
    _ record: EntryRecord,
    index: Int
  ) throws(RelabelError) -> Int {
    try writer.append(key, PendingImages.Item(imageIndex: Int64(index), entry: record))
  }

  /// The images, and the lines that no image was found for.
  consuming func finish() throws(RelabelError) -> (PendingImages, unmatched: [String]) {
    guard let list = admission.list else {
      return (try PendingImages(writer, order: nil, pool), [])
    }
    let unmatched = zip(list.lines, lines).filter { $0.1 < 0 }.map(\.0)
    lines.removeAll { $0 < 0 }
    return (try PendingImages(writer, order: lines + unlisted, pool), unmatched)
  }
}
