extension LabelMapSource {
  /// The label maps at some positions, in the order asked for; each chunk is read once.
  ///
  /// - Throws: `.notFound` outside 0 ..< `count`, `.corrupt` for a damaged chunk or a file that is not the one
  ///   that was opened.
  public func maps(at positions: [Int]) throws(RelabelError) -> [LabelMap] {
    try results(at: positions, 1, { () }) { _, map, _ in map.decoded }
  }

  /// The label map at a position.
  ///
  /// - Throws: as `maps(at:)`.
  public func map(at position: Int) throws(RelabelError) -> LabelMap {
    try maps(at: [position])[0]
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
    let route = try ChunkRoute(positions, self)
    let legs = route.legs(threads)
    let failures = Parallel.map(legs.count, jobs: threads) { leg -> ChunkRoute.Failure? in
      let memory = ReadingRoom()
      return withExtendedLifetime(memory) {
        route.failure(ofRuns: legs[leg], memory) { place, run in room.write(place, run) }
      }
    }
    try route.finish(failures.compactMap(\.self).first) { error, place in
      named(error, positions[place], place)
    }
  }

  /// Writes what the factors of maps say of classes into memory that a caller provides.
  ///
  /// - Throws: as `maps(at:)`.
  package func writeFactors(
    at positions: [Int],
    threads: Int,
    _ memory: FactorMemory
  ) throws(RelabelError) {
    try forEachMap(at: positions, threads, { () }) { place, map, _ in
      map.writeFactors(place, to: memory)
    }
  }

  /// What `body` makes of each map; each chunk is read once, and a thread holds one decoded map at a time.
  ///
  /// - Parameters:
  ///   - positions: of the maps.
  ///   - threads: how many threads share the chunks.
  ///   - body: is given the place in `positions`, and the map.
  /// - Returns: the results in the order of positions.
  /// - Throws: the first failure in file order, naming file and image.
  package func results<Value>(
    at positions: [Int],
    threads: Int,
    _ body: @escaping @Sendable (Int, LabelMap) throws(RelabelError) -> Value
  ) throws(RelabelError) -> [Value] {
    try results(at: positions, threads, { () }) { (place, map, _) throws(RelabelError) in
      try body(place, map.decoded)
    }
  }

  /// What `body` makes of each map, as `forEachMap` goes through them.
  ///
  /// - Returns: the results in the order of positions.
  func results<Value, Scratch>(
    at positions: [Int],
    _ threads: Int,
    _ scratch: @escaping @Sendable () -> Scratch,
    _ body: @escaping @Sendable (Int, StoredMap, Scratch) throws(RelabelError) -> Value
  ) throws(RelabelError) -> [Value] {
    let slots = Slots<Value>(positions.count)
    try forEachMap(at: positions, threads, scratch) {
      (place, map, scratch) throws(RelabelError) in
      slots.values[place] = try body(place, map, scratch)
    }
    return slots.values.compactMap(\.self)
  }

  /// Goes through the maps at some positions, read chunk by chunk on some threads.
  ///
  /// That a file is still the one that was opened is asked once for each shard, behind the last map of it; so
  /// what `body` has made counts only when this returns.
  /// - Parameters:
  ///   - positions: of the maps.
  ///   - threads: how many threads share the chunks.
  ///   - scratch: makes what a thread works with.
  ///   - body: is given the place in `positions`, the map, and the scratch.
  /// - Throws: the first failure in file order.
  func forEachMap<Scratch>(
    at positions: [Int],
    _ threads: Int,
    _ scratch: @escaping @Sendable () -> Scratch,
    _ body: @escaping @Sendable (Int, StoredMap, Scratch) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    let route = try ChunkRoute(positions, self)
    let legs = route.legs(threads)
    let failures = Parallel.map(legs.count, jobs: threads) { leg -> ChunkRoute.Failure? in
      let (room, scratch) = (ReadingRoom(), scratch())
      return withExtendedLifetime(room) {
        route.failure(legs[leg], room) { (place, map) throws(RelabelError) in
          try body(place, map, scratch)
        }
      }
    }
    try route.finish(failures.compactMap(\.self).first) { error, place in
      named(error, positions[place], place)
    }
  }

  /// An error with the file and the key of the image it is about.
  private func named(_ error: RelabelError, _ position: Int, _ place: Int) -> RelabelError {
    // What reading throws names its shard and row already.
    guard error.location.file == nil else { return error }
    var named = error.located(Location(file: path, key: try? key(at: position), row: position))
    named.place = place
    return named
  }
}

/// A place for each of some results, each written by the one thread that has its image.
private final class Slots<Value>: @unchecked Sendable {
  let values: UnsafeMutableBufferPointer<Value?>

  init(_ count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: nil)
  }

  deinit {
    values.deinitialize()
    values.deallocate()
  }
}
