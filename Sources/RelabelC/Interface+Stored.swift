import Relabel

// Scores as they are stored: the function of relabel.h, which documents it.

/// See relabel.h.
@c(relabel_read_stored)
public func relabelReadStored(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ count: Int64,
  _ threads: Int32,
  _ classIndex: UnsafeMutableRawPointer?,
  _ idBytes: Int32,
  _ score: UnsafeMutableRawPointer?,
  _ scoreBytes: Int32
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    guard threads >= 1 else {
      throw RelabelError(.usage, "nothing can be read on \(threads) threads")
    }
    let wanted = try wanted(positions, count)
    if wanted.isEmpty { return }
    guard let score else { throw missing("score") }
    let room = try MapRoom(
      source.header,
      classIndex,
      idBytes: Int(idBytes),
      score,
      scoreBytes: Int(scoreBytes),
      nil
    )
    try source.writeMaps(at: wanted.map { Int($0) }, threads: Int(threads), room)
  }
}
