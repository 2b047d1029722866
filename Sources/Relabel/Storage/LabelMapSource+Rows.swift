extension LabelMapSource {
  /// Goes through the images at some positions, each with the shard and row that hold it.
  ///
  /// - Parameters:
  ///   - positions: in any order; those of one shard in a row are found together.
  ///   - body: is given the place in `positions`, the shard, and the row there.
  /// - Throws: `.notFound` for a position that is not there, and what `body` throws.
  package func forEachRow(
    at positions: UnsafeBufferPointer<Int64>,
    _ body: (Int, ShardReader, Int) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    var shard: (reader: ShardReader, first: Int)?
    for (place, position) in positions.enumerated() {
      let position = Int(position)
      if let held = shard, (held.first..<held.first + held.reader.count).contains(position) {
        try body(place, held.reader, position - held.first)
      } else {
        let found = try self.shard(holding: position)
        shard = found
        try body(place, found.reader, position - found.first)
      }
    }
  }
}
