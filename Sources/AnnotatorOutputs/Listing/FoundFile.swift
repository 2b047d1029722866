import Relabel

/// The images of one file or member, each with its key and its place.
struct FoundFile {
  /// The images, made one by one: there may be millions.
  typealias Entries = LazyMapCollection<Range<Int>, Entry>

  let key: String
  let names: FoundMaps.Names
  let entries: Entries

  /// Lists the images of a file, listed or arriving.
  ///
  /// - Throws: `.usage` when the user's options contradict the file, and what its dialect throws.
  init(
    _ dialect: any Dialect,
    _ region: ByteRegion,
    key: String,
    at place: Place,
    _ options: InputOptions,
    _ spool: inout Spool
  ) throws(RelabelError) {
    let found = try Self.list(dialect, region, options, &spool) { place.description(key: key) }
    try Self.checkKind(found, options)
    self.key = key
    names = found.names
    let payloads = found.payloads
    if case .file = names {
      entries = (0..<payloads.count).lazy.map { Entry(place: place, payload: payloads[$0]) }
    } else {
      let path = place.description(key: key)
      entries = (0..<payloads.count).lazy.map {
        Entry(place: .row(of: path, $0), payload: payloads[$0])
      }
    }
  }

  /// Lists a file in the dialect that the user named, or else its extension, or else its first bytes.
  private static func list(
    _ dialect: any Dialect,
    _ region: ByteRegion,
    _ options: InputOptions,
    _ spool: inout Spool,
    path: () -> String
  ) throws(RelabelError) -> FoundMaps {
    if options.arrays != nil, (options.dialect ?? dialect.word) != HDF5Arrays().word {
      throw HDF5Arrays.notOne
    }
    if let word = options.dialect {
      return try Dialects.named(word).list(region, path: path, options: options, spool: &spool)
    }
    do throws(RelabelError) {
      return try dialect.list(region, path: path, options: options, spool: &spool)
    } catch {
      guard error.code == .invalidInput || error.code == .unsafeInput else { throw error }
      // A renamed file: only looked for where the extension was wrong, for there may be millions.
      let head = try region.slice(0, min(region.count, 512)).read(limit: 512, path: path())
      guard let other = Dialects.recognising(head: head), other.word != dialect.word,
        !other.needsOwnFile
      else { throw error }
      return try other.list(region, path: path, options: options, spool: &spool)
    }
  }

  /// Gives all images to `body`, in order.
  func forEach(_ body: (String, Entry) throws(RelabelError) -> Void) throws(RelabelError) {
    switch names {
    case .file:
      for entry in entries { try body(key, entry) }
    case .rows:
      let batch = Gathering.Batch(key: key, rows: entries.count)
      for (row, entry) in entries.enumerated() { try body(batch.key(ofRow: row), entry) }
    case .keys(let keys):
      for (row, entry) in entries.enumerated() { try body(try keys.key(ofRow: row), entry) }
    }
  }

  /// Refuses a file that says another score kind than the user.
  private static func checkKind(
    _ found: FoundMaps,
    _ options: InputOptions
  ) throws(RelabelError) {
    guard let given = options.scoreKind,
      let traits = found.payloads.lazy.map(\.traits).first(where: { $0.scoreKind != nil }),
      !traits.isConvention, let kind = traits.scoreKind, kind != given
    else { return }
    throw RelabelError(
      .usage,
      "its array is named for the score kind '\(kind.rawValue)', the option says"
        + " '\(given.rawValue)'; leave the option out or rename the array"
    )
  }
}
