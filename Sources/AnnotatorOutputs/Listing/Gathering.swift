import Relabel

/// What has been found in the inputs so far, without indices.
struct Gathering {
  /// A batch whose rows have no keys of their own.
  struct Batch {
    let key: String
    let rows: Int
  }

  let options: InputOptions
  private(set) var pool = EntryPool()
  /// Images with keys.
  private(set) var keyed: RecordSorter<EntryRecord>
  private(set) var batches: [Batch] = []
  /// The rows of all batches, one `EntryRecord` behind the other.
  private(set) var rows: SpooledBytes.Writer
  /// True when nothing was found.
  private(set) var isEmpty = true
  /// True when an image has a key and doesn't fail already.
  private(set) var hasSoundKeyed = false
  /// Why the first image with a key fails, when it does.
  private(set) var firstFailure: RelabelError?
  var ignored: [String] = []
  var inputBytes: Int64 = 0
  private var spool: Spool

  init(_ options: InputOptions) {
    self.options = options
    spool = Spool(directory: options.spoolDirectory)
    keyed = RecordSorter(directory: options.spoolDirectory)
    rows = SpooledBytes.Writer(directory: options.spoolDirectory)
  }

  /// Adds an image that can't be loaded.
  ///
  /// - Throws: `.io` when the temporary file can't be written.
  mutating func addFailure(
    _ error: RelabelError,
    key: String,
    at place: Place
  ) throws(RelabelError) {
    try append(key, .failing(error, at: place))
  }

  /// Adds the images of a file or tar member; a broken one becomes one image that fails.
  ///
  /// - Throws: `.usage` when the user's options contradict the file, `.io` when the spool fails.
  mutating func add(
    _ dialect: any Dialect,
    _ region: ByteRegion,
    key: String,
    at place: Place
  ) throws(RelabelError) {
    let found: FoundFile
    do throws(RelabelError) {
      found = try FoundFile(dialect, region, key: key, at: place, options, &spool)
    } catch {
      let error = error.located(Location(file: place.description(key: key)))
      if error.code == .usage || error.code == .internalFault { throw error }
      // A file that can't be read is that file's fault; a full disk is everybody's.
      if error.code == .io, dialect.needsOwnFile { throw error }
      return try addFailure(error, key: key, at: place)
    }
    if case .rows = found.names {
      try append(found.entries, of: key)
    } else {
      try found.forEach { key, entry throws(RelabelError) in try append(key, entry) }
    }
  }

  private mutating func append(_ key: String, _ entry: Entry) throws(RelabelError) {
    isEmpty = false
    switch entry.payload {
    case .failure(let error): firstFailure = firstFailure ?? error
    default: hasSoundKeyed = true
    }
    try keyed.append(key, pool.record(entry))
  }

  private mutating func append(_ entries: FoundFile.Entries, of key: String) throws(RelabelError) {
    isEmpty = false
    batches.append(Batch(key: key, rows: entries.count))
    for entry in entries {
      let record = pool.record(entry)
      try rows.append { bytes in withUnsafeBytes(of: record) { bytes.append(contentsOf: $0) } }
    }
  }
}

extension Gathering.Batch {
  /// The key of a row: the path and its number, `PATH#000012`.
  func key(ofRow row: Int) -> String {
    let digits = String(row)
    return key + "#" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }
}
