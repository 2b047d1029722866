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
    return try results(at: positions, try scratch(of: pooling), threads) {
      (place, map, scratch) throws(RelabelError) in
      var targets: [PooledTarget] = []
      for box in boxes[place] { targets.append(try pooling.target(of: map, in: box, scratch)) }
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
    _ = try results(at: positions, try scratch(of: pooling), crops.threads) {
      (place, map, scratch) throws(RelabelError) in
      try map.withEntries { entries throws(RelabelError) in
        try crops.write(place, entries, map.extent, pooling, scratch)
      }
    }
  }

  /// The label maps of some images, in memory of the caller.
  ///
  /// - Parameters:
  ///   - positions: one image for each place of `room`.
  ///   - threads: how many threads share the chunks.
  ///   - room: where the maps go.
  /// - Throws: the first failure in file order, naming file and image; the maps are then unspecified.
  package func writeMaps(
    at positions: [Int],
    threads: Int,
    _ room: MapRoom
  ) throws(RelabelError) {
    _ = try results(at: positions, { () }, threads) { place, map, _ in room.write(place, map) }
  }

  /// Makes the memory that pooling needs.
  private func scratch(
    of pooling: LabelPooling
  ) throws(RelabelError) -> @Sendable () -> PoolingScratch {
    let shape = try header.shape
    return { PoolingScratch(numClasses: pooling.numClasses, shape: shape) }
  }

  /// What `body` makes of each map, read chunk by chunk on some threads.
  ///
  /// - Parameters:
  ///   - positions: of the maps.
  ///   - scratch: makes what the maps of a chunk are worked on with.
  ///   - threads: how many threads share the chunks.
  ///   - body: is given the place in `positions`, the map, and the scratch.
  /// - Returns: the results in the order of positions.
  /// - Throws: the first failure in file order.
  private func results<Value, Scratch>(
    at positions: [Int],
    _ scratch: @escaping @Sendable () -> Scratch,
    _ threads: Int,
    _ body: @escaping @Sendable (Int, LabelMap, Scratch) throws(RelabelError) -> Value
  ) throws(RelabelError) -> [Value] {
    let groups = try placesByChunk(positions)
    let made = Parallel.map(groups.count, jobs: threads) { group -> Result<[Value], RelabelError> in
      let scratch = scratch()
      var values: [Value] = []
      do throws(RelabelError) {
        let maps = try self.maps(at: groups[group].map { positions[$0] })
        for (map, place) in zip(maps, groups[group]) {
          values.append(try body(place, map, scratch))
        }
        return .success(values)
      } catch {
        return .failure(named(error, positions, groups[group][values.count]))
      }
    }
    var results = [Value?](repeating: nil, count: positions.count)
    for (group, made) in zip(groups, made) {
      for (place, value) in zip(group, try made.get()) { results[place] = value }
    }
    return results.compactMap(\.self)
  }

  /// An error with the file and the key of the image it is about.
  private func named(_ error: RelabelError, _ positions: [Int], _ place: Int) -> RelabelError {
    // What reading throws names its shard and row already.
    guard error.location.file == nil else { return error }
    let position = positions[place]
    var named = error.located(Location(file: path, key: try? key(at: position), row: position))
    named.place = place
    return named
  }

  /// Places in `positions`, those of one chunk together, in file order.
  private func placesByChunk(_ positions: [Int]) throws(RelabelError) -> [[Int]] {
    for position in positions where !(0..<count).contains(position) {
      throw noSuchPosition(position)
    }
    var groups: [[Int]] = []
    var end = 0
    for place in positions.indices.sorted(by: { positions[$0] < positions[$1] }) {
      let position = positions[place]
      if position >= end {
        groups.append([])
        end = try chunk(holding: position).upperBound
      }
      groups[groups.count - 1].append(place)
    }
    return groups
  }
}
