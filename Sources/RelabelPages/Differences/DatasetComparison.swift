package import Relabel

/// Compares the labels of two datasets over the same images: one pass over both, in bounded memory.
///
/// Maps are read in the order of the dataset with the longer chunks, a window at a time; of the other, each window
/// reads the chunks that hold its images.
package struct DatasetComparison: Sendable {
  private let a: any LabelMapSource
  private let b: any LabelMapSource
  private let headerA: ShardHeader
  private let headerB: ShardHeader
  private let options: DifferenceOptions
  private let match: ClassMatch
  private let cells: CellComparison
  private let poolingA: LabelPooling
  private let poolingB: LabelPooling

  /// Entries of a window: what a thread holds of both datasets is a few times their 8 bytes.
  private static let windowEntries = 1 << 18
  private static let windowImages = 512

  /// Prepares a comparison.
  ///
  /// - Throws: `.usage` for datasets that can't be compared, and what opening throws.
  package init(
    _ a: any LabelMapSource,
    _ b: any LabelMapSource,
    _ options: DifferenceOptions
  ) throws(RelabelError) {
    (self.a, self.b, self.options) = (a, b, options)
    (headerA, headerB) = (try a.header, try b.header)
    try headerA.refuseFactors(of: a.path)
    try headerB.refuseFactors(of: b.path)
    guard (headerA.views == nil) == (headerB.views == nil) else {
      let (images, views) = headerA.views == nil ? ("A", "B") : ("B", "A")
      throw RelabelError(
        .usage,
        "the rows of \(images) are images, and those of \(views) are labels of crops of images: they can't be compared"
      )
    }
    match = try ClassMatch(headerA, headerB)
    cells = CellComparison(headerA, headerB, options.tolerance)
    // Named: maps of unknown orientation are read as `yx` on both sides.
    poolingA = try LabelPooling(headerA, profile: .relabel)
    poolingB = try LabelPooling(headerB, profile: .relabel)
  }

  /// Compares all images.
  ///
  /// - Parameters:
  ///   - jobs: how many threads share the work; results don't depend on the number.
  ///   - progress: is told how many images of how many are compared.
  /// - Returns: how they differ.
  /// - Throws: the first failure of reading, and M007 where a dataset has an image twice.
  /// - Complexity: O(n log n) for the identities of n images, 36 bytes for each of them.
  package func run(
    jobs: Int,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws(RelabelError) -> DatasetDifference {
    let join = try ImageJoin(a, b, listed: options.listed, jobs: jobs)
    let isOfA = headerA.imagesPerChunk >= headerB.imagesPerChunk
    let pairs = isOfA ? join : join.inverted(count: b.count)
    let windows = try windows(of: isOfA ? a : b)
    var tally = DifferenceTally(options)
    var done = 0
    for start in stride(from: 0, to: windows.count, by: jobs * 4) {
      let batch = windows[start..<min(start + jobs * 4, windows.count)]
      let results = Parallel.map(batch.count, jobs: jobs) {
        number -> Result<DifferenceTally, RelabelError> in
        let rows = batch[start + number].compactMap { row in
          pairs[row].map { isOfA ? (a: row, b: $0) : (a: $0, b: row) }
        }
        do throws(RelabelError) {
          return .success(try self.tally(rows))
        } catch {
          return .failure(error)
        }
      }
      for result in results {
        let part = try result.get()
        tally += part
        done += part.images
      }
      progress(done, join.common)
    }
    return try DatasetDifference(
      a: a,
      b: b,
      options: options,
      headers: HeaderDifference(a, b),
      match: match,
      cells: cells,
      join: join,
      tally: tally
    )
  }

  /// Whole chunks together until a window is full.
  private func windows(of source: any LabelMapSource) throws(RelabelError) -> [Range<Int>] {
    let entries = max(headerA.shape.entries, headerB.shape.entries)
    let size = max(1, min(Self.windowImages, Self.windowEntries / entries))
    var windows: [Range<Int>] = []
    for chunk in try source.chunks {
      if let last = windows.last, last.count + chunk.count <= size {
        windows[windows.count - 1] = last.lowerBound..<chunk.upperBound
      } else {
        windows.append(chunk)
      }
    }
    return windows
  }

  /// Compares the images of a window.
  private func tally(_ rows: [(a: Int, b: Int)]) throws(RelabelError) -> DifferenceTally {
    var tally = DifferenceTally(options)
    if rows.isEmpty { return tally }
    let (mapsA, mapsB) = (try a.maps(at: rows.map(\.a)), try b.maps(at: rows.map(\.b)))
    let views = try viewsOfRows(rows)
    let poolers = (MapPooler(poolingA, headerA.shape), MapPooler(poolingB, headerB.shape))
    for (place, row) in rows.enumerated() {
      let name = RowName(key: try a.key(at: row.a), view: views?[place].number)
      if let views, !views[place].isSame { tally.otherViews.add(name) }
      try tally.add(image(row, name, mapsA[place], mapsB[place], poolers, &tally))
    }
    return tally
  }

  private typealias ViewPair = (number: Int, isSame: Bool)

  /// What rows of views say of them; nil for rows of images.
  private func viewsOfRows(_ rows: [(a: Int, b: Int)]) throws(RelabelError) -> [ViewPair]? {
    guard headerA.views != nil else { return nil }
    let viewsA = try a.views(atAny: rows.map(\.a))
    let viewsB = try b.views(atAny: rows.map(\.b))
    return zip(viewsA, viewsB).map { ($0.number, $0 == $1) }
  }

  /// Compares two maps of an image.
  private func image(
    _ row: (a: Int, b: Int),
    _ name: RowName,
    _ mapA: LabelMap,
    _ mapB: LabelMap,
    _ poolers: (a: MapPooler, b: MapPooler),
    _ tally: inout DifferenceTally
  ) throws(RelabelError) -> ChangedImage {
    var found: CellDifference?
    if mapA.extent != mapB.extent {
      tally.otherExtents.add(name)
    } else if cells.obstacle == nil {
      var numbered = mapB
      if let numbers = match.numbers {
        numbered.classIndex = mapB.classIndex.map { numbers[Int($0)] }
      }
      let difference = cells.difference(mapA, numbered, &tally.movedCells)
      tally.cells += difference
      found = difference
    }
    var (mean, best) = (0.0, nil as MovedClasses.Pair?)
    if let part = mapA.extent.intersection(mapB.extent) {
      func pair(_ box: CropBox) throws(RelabelError) -> TargetPair {
        TargetPair(
          try poolers.a.target(of: mapA, in: box),
          try poolers.b.target(of: mapB, in: box),
          match
        )
      }
      let whole = try pair(part)
      best = MovedClasses.Pair(from: whole.topA, to: whole.topB)
      if whole.topA != whole.topB { tally.movedImages.add(whole.topA, whole.topB) }
      var crops = RandomCrops(name, seed: options.seed)
      for _ in 0..<options.crops {
        let crop = try pair(crops.next(within: part))
        tally.targets.add(crop)
        mean += crop.halfL1 / Double(options.crops)
      }
      if options.crops == 0 { mean = whole.halfL1 }
    } else {
      tally.targets.apart += 1
    }
    return ChangedImage(
      rowA: row.a,
      rowB: row.b,
      name: name,
      halfL1: mean,
      entries: found?.lonely,
      highestScore: found.flatMap {
        cells.scoreObstacle == nil && $0.common > 0 ? $0.scores.highest : nil
      },
      best: best
    )
  }
}

extension LabelMapSource {
  /// What some rows say of their views, in the order asked for, read in the order of rows.
  fileprivate func views(atAny rows: [Int]) throws(RelabelError) -> [LabelView] {
    let order = rows.indices.sorted { rows[$0] < rows[$1] }
    let sorted = try views(at: order.map { rows[$0] })
    return zip(order, sorted).sorted { $0.0 < $1.0 }.map(\.1)
  }
}
