import Relabel

/// What has been found in the inputs so far, without indices.
struct Gathering {
  /// A batch whose rows have no keys of their own.
  struct Batch {
    let key: String
    let entries: [Entry]
  }

  let options: InputOptions
  /// Images with a key but no index yet.
  var images: [PendingImage] = []
  var batches: [Batch] = []
  var ignored: [String] = []
  var inputBytes: Int64 = 0
  private var spool: Spool

  init(_ options: InputOptions) {
    self.options = options
    spool = Spool(directory: options.spoolDirectory)
  }

  /// Adds an image that can't be loaded.
  mutating func addFailure(_ error: RelabelError, key: String, at place: Place) {
    append(key, .failing(error, at: place))
  }

  /// Adds the images of a file or tar member; a broken one becomes one image that fails.
  ///
  /// - Throws: `.usage` when the user's options contradict the file, `.io` when the spool fails.
  mutating func add(
    _ kind: FileKind,
    _ region: ByteRegion,
    key: String,
    at place: Place
  ) throws(RelabelError) {
    let path = place.description(key: key)
    do throws(RelabelError) {
      switch kind {
      case .torch:
        append(key, Entry(place: place, payload: .torch(region, topK: options.topK)))
      case .array:
        let (entries, isBatch) = try DenseLayout.entries(
          of: region,
          at: place,
          path: path,
          options: options
        )
        add(entries, isBatch: isBatch, keys: nil, key: key)
      case .archive:
        let found = try NumPyArchive.read(path, at: place, topK: options.topK, spool: &spool)
        try checkKind(found.entries)
        add(found.entries, isBatch: found.isBatch, keys: found.keys, key: key)
      }
    } catch {
      let error = error.located(Location(file: path))
      if error.code == .usage || error.code == .internalFault { throw error }
      // A file that can't be read is that file's fault; a full disk is everybody's.
      if error.code == .io, kind == .archive { throw error }
      addFailure(error, key: key, at: place)
    }
  }

  private mutating func add(_ entries: [Entry], isBatch: Bool, keys: [String]?, key: String) {
    if let keys {
      for (key, entry) in zip(keys, entries) { append(key, entry) }
    } else if isBatch {
      batches.append(Batch(key: key, entries: entries))
    } else {
      for entry in entries { append(key, entry) }
    }
  }

  private mutating func append(_ key: String, _ entry: Entry) {
    images.append(PendingImage(key: key, imageIndex: -1, entry: entry))
  }

  private func checkKind(_ entries: [Entry]) throws(RelabelError) {
    guard let given = options.scoreKind,
      let found = entries.lazy.compactMap(\.scoreKind).first, found != given
    else { return }
    throw RelabelError(
      .usage,
      "its array is named for the score kind '\(found.rawValue)', the option says"
        + " '\(given.rawValue)'; leave the option out or rename the array"
    )
  }
}

extension Gathering.Batch {
  /// The rows, keyed by the path and their number: `PATH#000012`.
  var keyed: [PendingImage] {
    entries.enumerated().map { row, entry in
      PendingImage(key: Self.key(key, row: row), imageIndex: -1, entry: entry)
    }
  }

  static func key(_ path: String, row: Int) -> String {
    let digits = String(row)
    return path + "#" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
  }
}
