/// Room for label maps in memory of a caller, one behind the other.
package struct MapRoom: @unchecked Sendable {
  // Unchecked: every place is written by the one thread that has its image.
  private let shape: MapShape
  private let classIndex: UnsafeMutableRawPointer
  private let idBytes: Int
  private let score: UnsafeMutablePointer<Float>
  private let extents: UnsafeMutablePointer<Double>?

  /// Wraps memory that stays valid while maps are written.
  ///
  /// - Parameters:
  ///   - header: of the maps.
  ///   - classIndex: receives the class ids.
  ///   - idBytes: bytes of each, 2 or 4.
  ///   - score: receives the decoded scores.
  ///   - extents: receives top, left, height and width of each map's extent, or nil.
  /// - Throws: `.usage` for ids of another size, or one that can't hold all classes.
  package init(
    _ header: ShardHeader,
    _ classIndex: UnsafeMutableRawPointer,
    idBytes: Int,
    _ score: UnsafeMutablePointer<Float>,
    _ extents: UnsafeMutablePointer<Double>?
  ) throws(RelabelError) {
    guard idBytes == 4 || idBytes == 2 && header.classIndexType == .uint16 else {
      throw RelabelError(
        .usage,
        "ids of \(idBytes) bytes can't hold \(header.numClasses) classes; use 4, or 2 for 16-bit ids"
      )
    }
    shape = header.shape
    self.classIndex = classIndex
    self.idBytes = idBytes
    self.score = score
    self.extents = extents
  }

  /// Writes the map of one place.
  func write(_ place: Int, _ map: StoredMap) {
    precondition(map.shape == shape)
    let first = place * shape.entries
    map.writeScores(to: score + first)
    if idBytes == 4 {
      map.writeIDs(to: (classIndex + 4 * first).assumingMemoryBound(to: UInt32.self))
    } else {
      map.writeIDs(to: (classIndex + 2 * first).assumingMemoryBound(to: UInt16.self))
    }
    guard let extents = extents.map({ $0 + 4 * place }) else { return }
    (extents[0], extents[1]) = (map.extent.top, map.extent.left)
    (extents[2], extents[3]) = (map.extent.height, map.extent.width)
  }
}
