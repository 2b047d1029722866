extension LabelMapSource {
  /// Goes through all rows: image key, and number of the view where rows are views.
  ///
  /// - Parameter body: is given position, key, and the view's number or nil.
  /// - Throws: what a damaged chunk breaks, and what `body` throws.
  /// - Complexity: decodes each chunk of keys and numbers once; holds one of each.
  package func forEachIdentity(
    _ body: (Int, String, Int?) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let hasViews = try header.views != nil
    var first = 0
    for (number, rows) in rowsOfShards.enumerated() {
      let shard = try reader(ofShard: number)
      var views = hasViews ? ShardViews(shard.file) : nil
      for row in 0..<rows {
        let view = try views?.number(at: row)
        try body(first + row, shard.key(at: row), view.map(Int.init))
      }
      try shard.checkUnchanged()
      first += rows
    }
  }
}
