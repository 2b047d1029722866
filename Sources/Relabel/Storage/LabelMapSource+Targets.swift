extension LabelMapSource {
  /// The targets of some crops, from storage to probabilities; each chunk is read once.
  ///
  /// - Parameters:
  ///   - positions: one image for each list of boxes.
  ///   - boxes: the crops of each image.
  ///   - pooling: made from this source's header.
  ///   - threads: how many threads share the chunks.
  /// - Returns: targets in the order of positions and boxes.
  /// - Throws: the first failure in file order, naming file and image.
  public func targets(
    at positions: [Int],
    in boxes: [[CropBox]],
    _ pooling: LabelPooling,
    threads: Int = 1
  ) throws(RelabelError) -> [[PooledTarget]] {
    precondition(positions.count == boxes.count)
    return try results(at: positions, threads, try scratch(of: pooling)) {
      (place, map, scratch) throws(RelabelError) in
      let entries = map.entries(in: scratch.entries)
      var targets: [PooledTarget] = []
      for box in boxes[place] {
        targets.append(try pooling.target(of: entries, map.extent, in: box, scratch))
      }
      return targets
    }
  }

  /// The same targets, dense, in memory of the caller.
  ///
  /// - Parameters:
  ///   - positions: one image for each of `crops`.
  ///   - pooling: made from this source's header.
  ///   - crops: the boxes, and where targets go.
  /// - Throws: the first failure in file order, naming file and image; targets are then unspecified.
  package func writeTargets(
    at positions: [Int],
    _ pooling: LabelPooling,
    _ crops: Crops
  ) throws(RelabelError) {
    try forEachMap(at: positions, crops.threads, try scratch(of: pooling)) {
      (place, map, scratch) throws(RelabelError) in
      try crops.write(place, map.entries(in: scratch.entries), map.extent, pooling, scratch)
    }
  }

  /// Makes the memory that pooling needs.
  private func scratch(
    of pooling: LabelPooling
  ) throws(RelabelError) -> @Sendable () -> PoolingScratch {
    let shape = try header.shape
    return {
      PoolingScratch(numClasses: pooling.numClasses, shape: shape)
    }
  }
}
