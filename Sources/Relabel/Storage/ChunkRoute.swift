/// The way through the chunks that hold some images, in file order.
struct ChunkRoute: Sendable {
  /// An image that is asked for.
  private struct Stop: Comparable, Sendable {
    let position: Int
    let place: Int

    static func < (one: Stop, other: Stop) -> Bool { one.position < other.position }
  }

  /// A shard that has some of them.
  private struct Visit: Sendable {
    let shard: ShardReader
    let first: Int
  }

  /// A chunk, and those of its images that are asked for.
  private struct Chunk: Sendable {
    let visit: Int
    let number: Int
    let stops: Range<Int>
  }

  /// What went wrong at a place, while a shard was read.
  struct Failure {
    fileprivate let error: RelabelError
    fileprivate let place: Int
    fileprivate let visit: Int
  }

  private let stops: [Stop]
  private var visits: [Visit] = []
  private var chunks: [Chunk] = []

  /// Plans the way to the images at some positions, and opens the shards that hold them.
  ///
  /// - Throws: `.notFound` for a position that is not there, and what opening throws.
  init(_ positions: [Int], _ source: some LabelMapSource) throws(RelabelError) {
    let count = source.count
    for position in positions where !(0..<count).contains(position) {
      throw source.noSuchPosition(position)
    }
    let asked = positions.enumerated().map { Stop(position: $1, place: $0) }
    // As batches of a stored run are asked for.
    let isAscending = zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 }
    stops = isAscending ? asked : asked.sorted()
    chunks.reserveCapacity(stops.count)
    var next = 0
    while next < stops.count {
      let (shard, first) = try source.shard(holding: stops[next].position)
      visits.append(Visit(shard: shard, first: first))
      let end = first + shard.count
      while next < stops.count, stops[next].position < end { addChunk(&next) }
    }
  }

  /// Adds the chunk of the last shard that holds the image at `next`, which moves behind it.
  private mutating func addChunk(_ next: inout Int) {
    let (visit, start) = (visits[visits.count - 1], next)
    let perChunk = visit.shard.rowsPerChunk
    let number = (stops[start].position - visit.first) / perChunk
    let end = min(visit.first + (number + 1) * perChunk, visit.first + visit.shard.count)
    while next < stops.count, stops[next].position < end { next += 1 }
    chunks.append(Chunk(visit: visits.count - 1, number: number, stops: start..<next))
  }

  /// The way in pieces, each for one thread: long enough to make its memory worth while.
  func legs(_ threads: Int) -> [Range<Int>] {
    let threads = min(max(threads, 1), max(chunks.count, 1))
    let fair = (chunks.count + threads - 1) / threads
    let length = max(threads > 1 ? min(fair, 16) : chunks.count, 1)
    return stride(from: 0, to: chunks.count, by: length).map {
      $0..<min($0 + length, chunks.count)
    }
  }

  /// Goes through the maps of a piece.
  ///
  /// - Parameters:
  ///   - leg: the piece.
  ///   - room: memory of this thread.
  ///   - body: is given the place of the image, and its map.
  /// - Returns: the first failure, behind which nothing was read, or nil.
  func failure(
    _ leg: Range<Int>,
    _ room: ReadingRoom,
    _ body: (Int, StoredMap) throws(RelabelError) -> Void
  ) -> Failure? {
    for chunk in chunks[leg] {
      let visit = visits[chunk.visit]
      var place = stops[chunk.stops.lowerBound].place
      do throws(RelabelError) {
        let maps = try visit.shard.chunk(chunk.number, in: room)
        for stop in stops[chunk.stops] {
          place = stop.place
          try body(place, visit.shard.map(stop.position - visit.first, of: maps, room))
        }
      } catch {
        return Failure(error: error, place: place, visit: chunk.visit)
      }
    }
    return nil
  }

  /// Goes through the maps of a piece, as many at once as lie side by side in a chunk and in the order asked for.
  ///
  /// - Parameters:
  ///   - leg: the piece.
  ///   - room: memory of this thread.
  ///   - body: is given the place of the first image, and the maps.
  /// - Returns: as `failure(_:_:_:)`.
  func failure(
    ofRuns leg: Range<Int>,
    _ room: ReadingRoom,
    _ body: (Int, StoredRun) -> Void
  ) -> Failure? {
    for chunk in chunks[leg] {
      let visit = visits[chunk.visit]
      var (next, looked) = (chunk.stops.lowerBound, 0)
      var first = stops[next]
      do throws(RelabelError) {
        let maps = try visit.shard.chunk(chunk.number, in: room)
        while next < chunk.stops.upperBound {
          (first, looked) = (stops[next], 0)
          let row = first.position - visit.first
          let count = runLength(next, within: chunk.stops)
          let run = try visit.shard.run(row..<row + count, of: maps, room, &looked)
          body(first.place, run)
          next += count
        }
      } catch {
        return Failure(error: error, place: first.place + looked, visit: chunk.visit)
      }
    }
    return nil
  }

  /// How many stops from one on are of neighbours in both orders.
  private func runLength(_ start: Int, within range: Range<Int>) -> Int {
    var end = start + 1
    while end < range.upperBound,
      stops[end].position == stops[end - 1].position + 1,
      stops[end].place == stops[end - 1].place + 1
    {
      end += 1
    }
    return end - start
  }

  /// Refuses files that are not as they were when they were opened.
  ///
  /// - Parameters:
  ///   - failure: the first on the way, or nil.
  ///   - named: an error with the name of the image at a place.
  /// - Throws: `.corrupt` naming such a file, or the failure in one that is as it was.
  func finish(
    _ failure: Failure?,
    _ named: (RelabelError, Int) -> RelabelError
  ) throws(RelabelError) {
    for (number, visit) in visits.enumerated() {
      // Before the failure: what looks like damage may be another file.
      try visit.shard.checkUnchanged()
      if let failure, failure.visit == number { throw named(failure.error, failure.place) }
    }
  }
}
