internal import HelperProcesses
internal import Relabel

/// Reads the label maps of some rows; of maps of factors, the best classes of each cell.
///
/// For each it sends its extent in four words, and a word for each entry, the class id above the bits of the score.
enum MapListing {
  static let task = "read-maps"
  /// Rows of one request, which has to fit a command line.
  static let rowsPerRequest = 8192
  private static let extentWords = 4
  /// Entries that are held at once.
  private static let entriesPerPiece = 1 << 18
  private static let wordsPerMessage = 1 << 16

  static func request(_ path: String, _ rows: ArraySlice<Int>) -> JSON {
    .object(["path": .string(path), "rows": .array(rows.map { .integer(Int64($0)) })])
  }

  /// The helper's side.
  static func run(
    _ request: JSON,
    _ send: (HelperMessage) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let rows = request["rows"]?.array?.compactMap { $0.integer.map { Int($0) } } ?? []
    let reader = try ShardReader(request["path"]?.string ?? "")
    let piece = max(1, entriesPerPiece / reader.header.shape.entries)
    for start in stride(from: 0, to: rows.count, by: piece) {
      for map in try reader.maps(at: Array(rows[start..<min(start + piece, rows.count)])) {
        let map = map.ofClasses(best: map.shape.topK)
        for message in HelperMessage.words(map.extent.components.map(\.bitPattern)) {
          try send(message)
        }
        for first in stride(from: 0, to: map.shape.entries, by: wordsPerMessage) {
          let entries = first..<min(first + wordsPerMessage, map.shape.entries)
          let words = entries.map { entry in
            UInt64(map.classIndex[entry]) << 32 | UInt64(map.score[entry].bitPattern)
          }
          for message in HelperMessage.words(words) { try send(message) }
        }
      }
    }
  }

  /// Puts the maps together again; the sender is not trusted.
  struct Receiver {
    private let meaning: ShardMeaning
    private var words: [UInt64] = []
    /// Maps that are not received yet.
    private(set) var missing: Int

    init(_ meaning: ShardMeaning, maps: Int) {
      self.meaning = meaning
      missing = maps
    }

    /// - Returns: a map when it is complete.
    mutating func receive(_ message: HelperMessage) throws(RelabelError) -> LabelMap? {
      guard message.kind == .words else { return nil }
      words += message.words
      let needed = MapListing.extentWords + meaning.shape.entries
      guard words.count >= needed else { return nil }
      guard words.count == needed, missing > 0 else { throw Self.nonsense }
      defer { words.removeAll(keepingCapacity: true) }
      missing -= 1
      return try map(words)
    }

    private func map(_ words: [UInt64]) throws(RelabelError) -> LabelMap {
      let sides = words[..<MapListing.extentWords].map(Double.init(bitPattern:))
      let entries = words[MapListing.extentWords...]
      let map = LabelMap(
        shape: meaning.shape,
        classIndex: entries.map { UInt32($0 >> 32) },
        score: entries.map { Float(bitPattern: UInt32($0 & 0xFFFF_FFFF)) },
        extent: CropBox(components: sides) ?? .whole
      )
      guard map.score.allSatisfy(\.isFinite), CropBox(components: sides) != nil else {
        throw Self.nonsense
      }
      return map
    }

    private static var nonsense: RelabelError {
      RelabelError(.corrupt, "a label map that makes no sense")
    }
  }
}
