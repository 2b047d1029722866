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
  /// Where rows lie in the order of the source, a chunk is read when its turn comes; else 16 bytes an image are held.
  /// - Throws: as reading, and what `receive` throws.
  package func forEach(
    _ receive: (Line) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let isOrdered = header.rowOrder == .source || header.views != nil
    var held: [(index: Int64, position: Int)] = []
    for chunk in try chunks() {
      for position in try matches(chunk) {
        if isOrdered {
          try receive(line(position))
        } else {
          held.append((try maps.imageIndex(at: position), position))
        }
      }
    }
    held.sort { $0 < $1 }
    for (_, position) in held { try receive(line(position)) }
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
