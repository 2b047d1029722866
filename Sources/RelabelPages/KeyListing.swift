package import Relabel
internal import RelabelVerification

/// The keys of a dataset, in the order of the source, for some or all images.
package struct KeyListing {
  /// One image, or one view of it.
  package struct Line: Sendable {
    /// The key.
    package let key: String
    /// The number of the view, where labels are of crops.
    package let view: Int?
    /// The file of the shard that holds it.
    package let shard: String
  }

  private let maps: any LabelMapSource
  private let header: ShardHeader
  /// The class that targets must have, and among how many of their best classes.
  private let wanted: (classIndex: UInt32, among: Int)?
  private let pooling: LabelPooling

  /// Prepares a list.
  ///
  /// - Parameters:
  ///   - maps: the images.
  ///   - className: an id, a name or an index; only images whose target of all that the map covers has this class
  ///     among its best are listed. Nil lists all.
  ///   - among: how many classes of the target count as its best.
  /// - Throws: `.usage` for a class that is none; else as reading.
  package init(
    _ maps: any LabelMapSource,
    class className: String? = nil,
    among: Int = 1
  ) throws(RelabelError) {
    self.maps = maps
    header = try maps.header
    if let className {
      let names = ClassNames(header.metadata.classes, numClasses: header.numClasses)
      guard let index = names.index(of: className) else {
        throw RelabelError(
          .usage,
          "no class is called '\(className)': give its id, its name if only one class has it, or its index below"
            + " \(header.numClasses)"
        )
      }
      wanted = (UInt32(index), among)
    } else {
      wanted = nil
    }
    // Over all that a map covers, orientation makes no difference.
    pooling = try LabelPooling(header, profile: .relabel, outside: .clamp)
  }

  /// Gives the lines one after another.
  ///
  /// Where rows lie in the order of the source, a chunk is read when its turn comes. Else lines are held and sorted:
  /// reading a key out of turn reads its chunk again. They take their text and 40 bytes each.
  /// - Throws: as reading, and what `receive` throws.
  package func forEach(
    _ receive: (Line) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let isOrdered = header.rowOrder == .source || header.views != nil
    var held = HeldLines()
    for chunk in try chunks() {
      for position in try matches(chunk) {
        let line = try line(position)
        if isOrdered {
          try receive(line)
        } else {
          held.append(line, index: try maps.imageIndex(at: position))
        }
      }
    }
    for line in held.sorted() { try receive(line) }
  }

  /// Positions that are looked at together.
  private func chunks() throws(RelabelError) -> [Range<Int>] {
    // Without a class no map is read, and any piece will do.
    guard wanted == nil else { return try maps.chunks }
    return stride(from: 0, to: maps.count, by: 4096).map { $0..<min($0 + 4096, maps.count) }
  }

  private func matches(_ chunk: Range<Int>) throws(RelabelError) -> [Int] {
    let positions = Array(chunk)
    guard let wanted else { return positions }
    let boxes = [[CropBox]](repeating: [.whole], count: positions.count)
    let targets = try maps.targets(at: positions, in: boxes, pooling)
    return zip(positions, targets).filter { _, targets in
      targets[0].top(wanted.among).contains { $0.classIndex == wanted.classIndex }
    }.map(\.0)
  }

  private func line(_ position: Int) throws(RelabelError) -> Line {
    let view = header.views == nil ? nil : try maps.view(at: position).number
    let shard = try maps.shard(holding: position).reader.path
    return Line(key: try maps.key(at: position), view: view, shard: shard)
  }
}

/// Lines that wait for their turn, their keys in one piece of memory.
private struct HeldLines {
  private var keys: [UInt8] = []
  private var entries: [(index: Int64, start: Int, count: Int, shard: Int)] = []
  private var shards: [String] = []

  mutating func append(_ line: KeyListing.Line, index: Int64) {
    // Rows come shard by shard.
    if shards.last != line.shard { shards.append(line.shard) }
    entries.append((index, keys.count, line.key.utf8.count, shards.count - 1))
    keys += line.key.utf8
  }

  /// The lines by image index.
  func sorted() -> some Sequence<KeyListing.Line> {
    entries.sorted { $0.index < $1.index }.lazy.map { entry in
      let key = String(decoding: keys[entry.start..<entry.start + entry.count], as: UTF8.self)
      return KeyListing.Line(key: key, view: nil, shard: shards[entry.shard])
    }
  }
}
