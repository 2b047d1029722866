import Relabel

/// The keys that have come, each with where it came from: on disk but for some bytes of each.
///
/// A table in memory leads from a hash to a place in a temporary file. 12 to 24 bytes a key are in memory, at any length
/// of the key: a dictionary of the keys took 380.
struct KeyTable {
  /// What is known of a key.
  struct Entry {
    var place: Place
    /// The digest of its bytes, where keys may meet that were two paths in the archive.
    var digest: String?
    /// Its place in the listing of an earlier run, which has packed it and which this run has not met yet; else -1.
    var packedIndex: Int64 = -1
  }

  /// 1 + where the record lies in the low 40 bits, bits of the hash in the others; 0 is free.
  private var slots: [UInt64]
  private var spool: Spool
  private var buffer: [UInt8] = []
  private var written = 0
  private(set) var count = 0
  private var texts: [String] = []
  private var textPlaces: [String: UInt32] = [:]

  /// A part of the file, while it is read from front to back.
  private var window: [UInt8] = []
  private var windowStart = 0
  private var readsOn = false

  private static let bufferBytes = 1 << 20
  private static let windowBytes = 256 << 10
  private static let offsetBits: UInt64 = 40

  init(directory: String) {
    spool = Spool(directory: directory)
    slots = [UInt64](repeating: 0, count: 1 << 10)
  }

  /// Sets what is known of a key; gives what was known before.
  ///
  /// - Throws: `.io` when the temporary file can't be written or read.
  mutating func update(_ key: String, _ entry: Entry) throws(RelabelError) -> Entry? {
    // Full tables are slow, and half-empty ones large.
    if count * 3 >= slots.count * 2 { try grow() }
    let hash = Self.hash(key)
    var slot = Self.first(hash, slots.count)
    while slots[slot] != 0 {
      if Self.tag(slots[slot]) == Self.tag(ofHash: hash) {
        let (known, earlier) = try record(at: Self.offset(slots[slot]))
        if known.utf8.elementsEqual(key.utf8) {
          slots[slot] = try append(key, entry, hash)
          return earlier
        }
      }
      slot = slot + 1 == slots.count ? 0 : slot + 1
    }
    slots[slot] = try append(key, entry, hash)
    count += 1
    return nil
  }

  private mutating func grow() throws(RelabelError) {
    // Half as many again, so that the old table and the new one together stay small. A slot has too few bits of its
    // hash to find its new place by, so the keys are read again: in the order of the file, and rarely.
    var offsets = slots.filter { $0 != 0 }
    offsets.sort { Self.offset($0) < Self.offset($1) }
    var larger = [UInt64](repeating: 0, count: slots.count / 2 * 3)
    readsOn = true
    defer { (readsOn, window) = (false, []) }
    for old in offsets {
      let key = try key(at: Self.offset(old))
      var slot = Self.first(Self.hash(key), larger.count)
      while larger[slot] != 0 { slot = slot + 1 == larger.count ? 0 : slot + 1 }
      larger[slot] = old
    }
    slots = larger
  }

  // MARK: - Records: length of the key, key, kind of place, text, row, index, digest

  private mutating func append(
    _ key: String,
    _ entry: Entry,
    _ hash: UInt64
  ) throws(RelabelError) -> UInt64 {
    let offset = written + buffer.count
    guard UInt64(offset) + 1 < 1 << Self.offsetBits else {
      throw RelabelError(.io, "the keys of the stream take more than a terabyte")
    }
    var fixed = Fixed()
    switch entry.place {
    case .named(let prefix, let suffix):
      (fixed.kind, fixed.text, fixed.suffix) = (0, place(of: prefix), place(of: suffix))
    case .row(let path, let row): (fixed.kind, fixed.text, fixed.row) = (1, place(of: path), row)
    case .path(let path): (fixed.kind, fixed.text) = (2, place(of: path))
    }
    fixed.index = entry.packedIndex
    fixed.digestBytes = UInt32(entry.digest?.utf8.count ?? 0)
    fixed.keyBytes = UInt32(key.utf8.count)
    withUnsafeBytes(of: fixed) { buffer.append(contentsOf: $0) }
    buffer.append(contentsOf: key.utf8)
    if let digest = entry.digest { buffer.append(contentsOf: digest.utf8) }
    if buffer.count >= Self.bufferBytes {
      let place = try spool.reserve(bytes: buffer.count)
      try place.file.write(buffer, at: place.offset)
      written += buffer.count
      buffer.removeAll(keepingCapacity: true)
    }
    return Self.tag(ofHash: hash) << Self.offsetBits | UInt64(offset + 1)
  }

  private struct Fixed: BitwiseCopyable {
    var keyBytes: UInt32 = 0
    var digestBytes: UInt32 = 0
    var text: UInt32 = 0
    var suffix: UInt32 = 0
    var row: Int = 0
    var index: Int64 = -1
    var kind: UInt8 = 0
  }

  private mutating func bytes(at offset: Int, _ count: Int) throws(RelabelError) -> [UInt8] {
    if offset >= written {
      let start = offset - written
      return Array(buffer[start..<min(start + count, buffer.count)])
    }
    let start = offset - windowStart
    if start >= 0, start + count <= window.count { return Array(window[start..<start + count]) }
    let file = try spool.reserve(bytes: 0).file
    guard readsOn else {
      return try file.readUnbounded(at: offset, count: min(count, written - offset))
    }
    window = try file.readUnbounded(at: offset, count: min(Self.windowBytes, written - offset))
    windowStart = offset
    return Array(window.prefix(count))
  }

  private mutating func fixed(
    at offset: Int
  ) throws(RelabelError) -> (fixed: Fixed, behind: [UInt8]) {
    let size = MemoryLayout<Fixed>.size
    // Most keys are shorter than this.
    var record = try bytes(at: offset, size + 192)
    let fixed = record.withUnsafeBytes { $0.loadUnaligned(as: Fixed.self) }
    let whole = size + Int(fixed.keyBytes) + Int(fixed.digestBytes)
    if record.count < whole { record = try bytes(at: offset, whole) }
    return (fixed, Array(record[size..<whole]))
  }

  private mutating func key(at offset: Int) throws(RelabelError) -> String {
    let (fixed, behind) = try fixed(at: offset)
    return String(decoding: behind.prefix(Int(fixed.keyBytes)), as: UTF8.self)
  }

  private mutating func record(
    at offset: Int
  ) throws(RelabelError) -> (key: String, entry: Entry) {
    let (fixed, behind) = try fixed(at: offset)
    let key = String(decoding: behind.prefix(Int(fixed.keyBytes)), as: UTF8.self)
    let digest = behind.dropFirst(Int(fixed.keyBytes))
    let text = texts[Int(fixed.text)]
    let place: Place =
      switch fixed.kind {
      case 0: .named(prefix: text, extension: texts[Int(fixed.suffix)])
      case 1: .row(of: text, fixed.row)
      default: .path(text)
      }
    let entry = Entry(
      place: place,
      digest: digest.isEmpty ? nil : String(decoding: digest, as: UTF8.self),
      packedIndex: fixed.index
    )
    return (key, entry)
  }

  private mutating func place(of text: String) -> UInt32 {
    // Neighbours share theirs.
    if let place = texts.indices.suffix(2).last(where: { texts[$0] == text }) {
      return UInt32(place)
    }
    if let known = textPlaces[text] { return known }
    let place = UInt32(texts.count)
    texts.append(text)
    textPlaces[text] = place
    return place
  }

  // MARK: - Slots

  private static func hash(_ key: String) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(ImageKey.Exact(key))
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  private static func first(_ hash: UInt64, _ count: Int) -> Int {
    Int(truncatingIfNeeded: (hash.multipliedFullWidth(by: UInt64(count))).high)
  }

  private static func tag(_ slot: UInt64) -> UInt64 { slot >> offsetBits }
  // The low bits: the high ones say where the slot is, which neighbours share.
  private static func tag(ofHash hash: UInt64) -> UInt64 { hash & (1 << (64 - offsetBits) - 1) }
  private static func offset(_ slot: UInt64) -> Int { Int(slot & (1 << offsetBits - 1)) - 1 }
}
