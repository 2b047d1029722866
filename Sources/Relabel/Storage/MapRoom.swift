/// Room for label maps in memory of a caller, one behind the other.
package struct MapRoom: @unchecked Sendable {
  // Unchecked: every place is written by the one thread that has its image.
  private let entries: Int
  private let classIndex: UnsafeMutableRawPointer?
  private let idBytes: Int
  private let score: UnsafeMutableRawPointer
  private let scoreBytes: Int
  private let extents: UnsafeMutablePointer<Double>?

  /// Wraps memory that stays valid while maps are written.
  ///
  /// - Parameters:
  ///   - header: of the maps.
  ///   - classIndex: receives the class ids, or nil.
  ///   - idBytes: bytes of each, 2 or 4.
  ///   - score: receives the scores.
  ///   - scoreBytes: bytes of each: 4 for decoded ones, 2 for halves as they are stored.
  ///   - extents: receives top, left, height and width of each map's extent, or nil.
  /// - Throws: `.usage` for ids of another size, or one that can't hold all classes, and for halves where none are
  ///   stored.
  package init(
    _ header: ShardHeader,
    _ classIndex: UnsafeMutableRawPointer?,
    idBytes: Int,
    _ score: UnsafeMutableRawPointer,
    scoreBytes: Int = 4,
    _ extents: UnsafeMutablePointer<Double>?
  ) throws(RelabelError) {
    guard classIndex == nil || idBytes == 4 || idBytes == 2 && header.classIndexType == .uint16
    else {
      throw RelabelError(
        .usage,
        "ids of \(idBytes) bytes can't hold \(header.numClasses) classes; use 4, or 2 for 16-bit ids"
      )
    }
    guard scoreBytes == 4 || scoreBytes == 2 && header.encoding.name == .float16 else {
      throw RelabelError(
        .usage,
        "scores of \(scoreBytes) bytes are not to be had of \(header.encoding.name.rawValue); use 4, or 2 for float16"
      )
    }
    entries = header.shape.entries
    self.classIndex = classIndex
    self.idBytes = idBytes
    self.score = score
    self.scoreBytes = scoreBytes
    self.extents = extents
  }

  /// Writes maps to the places from one on.
  func write(_ place: Int, _ run: StoredRun) {
    precondition(run.entries == entries)
    let first = place * entries
    if scoreBytes == 4 {
      run.writeScores(to: (score + 4 * first).assumingMemoryBound(to: Float.self))
    } else {
      run.writeHalves(to: score + 2 * first)
    }
    if let classIndex, idBytes == 4 {
      run.writeIDs(to: (classIndex + 4 * first).assumingMemoryBound(to: UInt32.self))
    } else if let classIndex {
      run.writeIDs(to: (classIndex + 2 * first).assumingMemoryBound(to: UInt16.self))
    }
    guard let extents else { return }
    for number in 0..<run.count {
      let (target, extent) = (extents + 4 * (place + number), run.extent(number))
      (target[0], target[1]) = (extent.top, extent.left)
      (target[2], target[3]) = (extent.height, extent.width)
    }
  }
}
