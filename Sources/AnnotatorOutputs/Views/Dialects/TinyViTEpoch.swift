import Relabel

/// One epoch of TinyViT's files: the lines of all ranks, step by step.
final class TinyViTEpoch {
  /// A record of a rank.
  struct Record {
    let key: String
    let path: String
    let seed: Int32
    let ids: [UInt32]
    /// Half floats.
    let scores: ArraySlice<UInt8>
    let replay: ReplayPlace
  }

  private struct Rank {
    let number: Int
    let path: String
    let keys: LineReader
    let values: StreamBytes
    /// Records that are there.
    let count: Int
  }

  /// Records that are given at once.
  private static let steps = 256

  let path: String
  /// Files that are not read.
  let ignored: [String]
  /// Bytes of the files.
  let bytes: Int64
  private let classes: Int
  private let epoch: Int
  private var ranks: [Rank] = []
  private var line = 0

  /// k and the epoch in a folder's name.
  static func numbers(_ name: String) -> (count: Int, epoch: Int)? {
    guard name.hasPrefix("logits_top") else { return nil }
    let parts = name.dropFirst("logits_top".count).split(
      separator: "_epoch",
      omittingEmptySubsequences: false
    )
    guard parts.count == 2, let count = parts[0].plainNumber, let epoch = parts[1].plainNumber,
      (1...Layout.maximumTopK).contains(count)
    else { return nil }
    return (count, epoch)
  }

  /// - Throws: `.invalidInput` where keys and values of a rank don't go together, `.io`.
  init(_ root: ViewFolder, _ classes: Int, _ epoch: Int) throws(RelabelError) {
    let folder = ViewFolder("\(root.path)logits_top\(classes)_epoch\(epoch)")
    (path, self.classes, self.epoch) = (folder.path, classes, epoch)
    let size = 4 + 4 * classes
    var (numbers, others): ([Int], [String]) = ([], [])
    var total: Int64 = 0
    for name in try folder.names() {
      if let rank = name.number(between: "rank", "-keys.txt") {
        numbers.append(rank)
      } else if name.number(between: "rank", "-values.bin") == nil {
        others.append(folder.path + name)
      }
    }
    ignored = others
    for number in numbers.sorted() {
      let keys = try OpenFile(reading: "\(folder.path)rank\(number)-keys.txt")
      let values = try OpenFile(reading: "\(folder.path)rank\(number)-values.bin")
      let lines = try LineReader(StreamBytes(keys)).count()
      guard lines * size == values.size else {
        throw RelabelError(
          .invalidInput,
          "there are \(lines) keys, and \(values.size) bytes of records, which take \(size) each with k = \(classes)",
          at: Location(file: values.path)
        )
      }
      total += Int64(keys.size + values.size)
      try keys.rewind()
      ranks.append(
        Rank(
          number: number,
          path: values.path,
          keys: LineReader(StreamBytes(keys)),
          values: StreamBytes(values),
          count: lines
        )
      )
    }
    bytes = total
  }

  /// The key of the first record; nil where there is none.
  var firstKey: String? {
    get throws(RelabelError) { try next().first?.key }
  }

  /// The records of the next steps; none at the end.
  ///
  /// - Throws: `.invalidInput` for a key that is no text, `.io`.
  func next() throws(RelabelError) -> [Record] {
    var records: [Record] = []
    let end = line + Self.steps
    while line < end, ranks.contains(where: { line < $0.count }) {
      for rank in ranks where line < rank.count { records.append(try record(rank)) }
      line += 1
    }
    return records
  }

  private func record(_ rank: Rank) throws(RelabelError) -> Record {
    guard let bytes = try rank.keys.next(), let key = String(exactly: bytes[...]) else {
      throw RelabelError(
        .invalidInput,
        "the key of line \(line) of rank \(rank.number) is not UTF-8"
      )
    }
    let size = 4 + 4 * classes
    var cursor = ByteCursor(try rank.values.take(size), subject: "the record")
    let seed = Int32(try cursor.signed(4))
    var ids: [UInt32] = []
    ids.reserveCapacity(classes)
    for _ in 0..<classes { ids.append(UInt32(try cursor.unsigned(2))) }
    return Record(
      key: key,
      path: rank.path,
      seed: seed,
      ids: ids,
      scores: cursor.bytes[try cursor.take(2 * classes)],
      replay: ReplayPlace(epoch: epoch, batch: line, slot: rank.number)
    )
  }
}

/// The lines of a file, one after the other.
final class LineReader {
  /// Longer than any key.
  private static let maximumBytes = 4096

  private let input: StreamBytes
  private var piece: [UInt8] = []
  private var place = 0

  init(_ input: StreamBytes) { self.input = input }

  /// The next line without its end; nil behind the last one.
  ///
  /// - Throws: `.unsafeInput` for a line longer than any key, `.io`.
  func next() throws(RelabelError) -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      if place == piece.count {
        piece = Array(try input.some())
        place = 0
        if piece.isEmpty { return line.isEmpty ? nil : line }
      }
      let end = piece[place...].firstIndex(of: UInt8(ascii: "\n")) ?? piece.count
      line += piece[place..<end]
      guard line.count <= Self.maximumBytes else {
        throw RelabelError(.unsafeInput, "a line of keys is longer than \(Self.maximumBytes) bytes")
      }
      place = min(end + 1, piece.count)
      if end < piece.count { return line }
    }
  }

  /// How many lines follow.
  func count() throws(RelabelError) -> Int {
    var count = 0
    while try next() != nil { count += 1 }
    return count
  }
}
