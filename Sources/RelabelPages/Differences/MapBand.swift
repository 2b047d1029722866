internal import Relabel

/// The maps of one dataset for consecutive rows of another, read once in the order in which they lie.
///
/// Where two datasets have other orders, the images of a window lie in as many chunks of the other dataset as there are
/// images. A band is as many rows as fit into `Self.bytes`, so that each chunk is read once for a band.
struct MapBand: Sendable {
  /// A map and, where rows are views, what is known of it.
  typealias Row = (map: LabelMap, view: LabelView?)

  /// Rows of the leading dataset that are compared together.
  struct Part: Sendable {
    /// Which windows.
    let windows: Range<Int>
    /// Their rows.
    let rows: Range<Int>
    /// True where the maps of the other dataset are read for all of them at once.
    let isWhole: Bool
  }

  /// What the maps of a band take.
  private static let bytes = 512 << 20
  /// Reads of each chunk up to which windows read by themselves: a map takes longer to compare than to decode this often.
  private static let fewReads = 8

  private let first: Int
  private let maps: [Row?]

  /// Decides how rows are read.
  ///
  /// - Parameters:
  ///   - windows: of the leading dataset, in order.
  ///   - pairs: the row of the other dataset for each of its rows.
  ///   - other: the other dataset.
  /// - Returns: parts that have all windows, in order; one where windows read by themselves.
  /// - Throws: what opening throws.
  /// - Complexity: O(rows log chunks).
  static func bands(
    of windows: [Range<Int>],
    _ pairs: ImageJoin,
    _ other: any LabelMapSource
  ) throws(RelabelError) -> [Part] {
    let chunks = try other.chunks
    var reads = 0
    for window in windows {
      reads += Set(window.compactMap { pairs[$0] }.map { Self.chunk(of: $0, chunks) }).count
    }
    guard let last = windows.last else { return [] }
    if reads <= Self.fewReads * chunks.count + windows.count {
      return [Part(windows: windows.indices, rows: 0..<last.upperBound, isWhole: false)]
    }
    let header = try other.header
    let factors = header.hasFactors ? header.shape.topK * (header.numClasses + 4) : 0
    // Ids and scores, and what arrays take beside them.
    let size = max(1, Self.bytes / (header.shape.entries * 8 + factors + 256))
    var parts: [Part] = []
    var start = 0
    for (number, window) in windows.enumerated() {
      let isLast = number == windows.count - 1
      let next = isLast ? window.upperBound : windows[number + 1].upperBound
      guard isLast || next - windows[start].lowerBound > size else { continue }
      let rows = windows[start].lowerBound..<window.upperBound
      parts.append(Part(windows: start..<number + 1, rows: rows, isWhole: true))
      start = number + 1
    }
    return parts
  }

  /// The place of the chunk that holds a row.
  private static func chunk(of row: Int, _ chunks: [Range<Int>]) -> Int {
    var (low, high) = (0, chunks.count)
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].upperBound <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Reads the maps for some rows of the leading dataset.
  ///
  /// - Throws: what reading throws.
  init(
    _ rows: Range<Int>,
    _ pairs: ImageJoin,
    _ other: any LabelMapSource,
    jobs: Int
  ) throws(RelabelError) {
    first = rows.lowerBound
    var maps = [Row?](repeating: nil, count: rows.count)
    let wanted = rows.compactMap { row in pairs[row].map { (row: $0, place: row - rows.lowerBound) }
    }
    .sorted { $0.row < $1.row }
    let chunks = try other.chunks
    // Whole chunks, so that no two threads read one.
    var groups: [Range<Int>] = []
    for (number, entry) in wanted.enumerated() {
      let isOfLast =
        number > 0
        && Self.chunk(of: wanted[number - 1].row, chunks) == Self.chunk(of: entry.row, chunks)
      if isOfLast {
        groups[groups.count - 1] = groups[groups.count - 1].lowerBound..<number + 1
      } else {
        groups.append(number..<number + 1)
      }
    }
    for start in stride(from: 0, to: groups.count, by: jobs * 16) {
      let batch = groups[start..<min(start + jobs * 16, groups.count)]
      let results = Parallel.map(batch.count, jobs: jobs) {
        number -> Result<[Row], RelabelError> in
        do throws(RelabelError) {
          return .success(try Self.read(other, wanted[batch[start + number]].map(\.row)))
        } catch {
          return .failure(error)
        }
      }
      for (group, result) in zip(batch, results) {
        for (entry, row) in zip(wanted[group], try result.get()) { maps[entry.place] = row }
      }
    }
    self.maps = maps
  }

  /// The map for a row of the leading dataset, which must have one.
  subscript(row: Int) -> Row {
    guard let found = maps[row - first] else { preconditionFailure("both have the row") }
    return found
  }

  /// Reads some rows, in the order asked for.
  static func read(
    _ source: any LabelMapSource,
    _ rows: [Int]
  ) throws(RelabelError) -> [Row] {
    let maps = try source.maps(at: rows)
    guard try source.header.views != nil else { return maps.map { ($0, nil) } }
    // What is known of views is read in the order of rows.
    let order = rows.indices.sorted { rows[$0] < rows[$1] }
    let sorted = try source.views(at: order.map { rows[$0] })
    var found: [Row] = maps.map { ($0, nil) }
    for (place, view) in zip(order, sorted) { found[place].view = view }
    return found
  }
}
