package import Relabel

/// Compares the labels of two datasets over the same images, in bounded memory.
///
/// Maps are read in the order of the dataset with the longer chunks, the leading one, a window at a time. Where the
/// other has nearly the same order, each window reads the chunks that hold its images; else a `MapBand` reads all of it
/// once for as many images as fit into memory.
package struct DatasetComparison: Sendable {
  private let a: any LabelMapSource
  private let b: any LabelMapSource
  private let headerA: ShardHeader
  private let headerB: ShardHeader
  private let options: DifferenceOptions
  private let match: ClassMatch
  /// Classes of each cell of a map of factors that are compared: as many as the other dataset keeps.
  private let best: Int
  private let cells: CellComparison
  private let poolingA: LabelPooling
  private let poolingB: LabelPooling

  /// Entries of a window: what a thread holds of both datasets is a few times their 8 bytes.
  private static let windowEntries = 1 << 18
  private static let windowImages = 512
  /// Classes of each cell of two maps of factors that are compared.
  private static let bestOfFactors = 5

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
    guard (headerA.views == nil) == (headerB.views == nil) else {
      let (images, views) = headerA.views == nil ? ("A", "B") : ("B", "A")
      throw RelabelError(
        .usage,
        "the rows of \(images) are images, and those of \(views) are labels of crops of images: they can't be compared"
      )
    }
    match = try ClassMatch(headerA, headerB)
    best =
      headerA.hasFactors && headerB.hasFactors
      ? Self.bestOfFactors : headerA.hasFactors ? headerB.shape.topK : headerA.shape.topK
    cells = CellComparison(
      headerA.ofClasses(best: best),
      headerB.ofClasses(best: best),
      options.tolerance,
      promises: !headerA.hasFactors && !headerB.hasFactors
    )
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
    let other = isOfA ? b : a
    let bands = try MapBand.bands(of: windows, pairs, other)
    var tally = DifferenceTally(options)
    var done = 0
    for band in bands {
      let maps = try band.isWhole ? MapBand(band.rows, pairs, other, jobs: jobs) : nil
      for start in stride(from: band.windows.lowerBound, to: band.windows.upperBound, by: jobs * 4)
      {
        let batch = windows[start..<min(start + jobs * 4, band.windows.upperBound)]
        let results = Parallel.map(batch.count, jobs: jobs) {
          number -> Result<DifferenceTally, RelabelError> in
          let rows = batch[start + number].filter { pairs[$0] != nil }
          do throws(RelabelError) {
            return .success(try self.tally(rows, pairs, maps, leadsA: isOfA))
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

  /// Compares the images of a window, by their rows in the leading dataset.
  private func tally(
    _ rows: [Int],
    _ pairs: ImageJoin,
    _ band: MapBand?,
    leadsA: Bool
  ) throws(RelabelError) -> DifferenceTally {
    var tally = DifferenceTally(options)
    if rows.isEmpty { return tally }
    let (lead, other) = leadsA ? (a, b) : (b, a)
    let others = rows.compactMap { pairs[$0] }
    let ofLead = try MapBand.read(lead, rows)
    let ofOther = if let band { rows.map { band[$0] } } else { try MapBand.read(other, others) }
    let poolers = (MapPooler(poolingA, headerA.shape), MapPooler(poolingB, headerB.shape))
    for (place, row) in rows.enumerated() {
      let (one, another) = (ofLead[place], ofOther[place])
      // Both have the same key; here it is the next one, there it may be anywhere.
      let name = RowName(key: try lead.key(at: row), view: one.view?.number)
      if one.view != another.view { tally.otherViews.add(name) }
      let (mapA, mapB) = leadsA ? (one.map, another.map) : (another.map, one.map)
      let pair = leadsA ? (a: row, b: others[place]) : (a: others[place], b: row)
      try tally.add(image(pair, name, mapA, mapB, poolers, &tally))
    }
    return tally
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
      let difference = cellDifference(mapA, mapB, &tally.movedCells)
      tally.cells += difference
      found = difference
    }
    var (mean, moved) = (0.0, nil as MovedClasses.Pair?)
    if let part = mapA.extent.intersection(mapB.extent) {
      func pair(_ box: CropBox) throws(RelabelError) -> TargetPair {
        TargetPair(
          try poolers.a.target(of: mapA, in: box),
          try poolers.b.target(of: mapB, in: box),
          match
        )
      }
      let whole = try pair(part)
      moved = MovedClasses.Pair(from: whole.topA, to: whole.topB)
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
      best: moved
    )
  }

  /// Compares the cells of two maps that cover the same part of the picture; of maps of factors, their best classes.
  private func cellDifference(
    _ mapA: LabelMap,
    _ mapB: LabelMap,
    _ moved: inout MovedClasses
  ) -> CellDifference {
    if cells.knowsEqualMaps, match.numbers == nil, mapA == mapB { return cells.ofEqualMaps }
    var numbered = mapB.ofClasses(best: best)
    if let numbers = match.numbers {
      numbered.classIndex = numbered.classIndex.map { numbers[Int($0)] }
    }
    var found = cells.difference(mapA.ofClasses(best: best), numbered, &moved)
    if mapA.factors != nil, mapB.factors != nil, found.lonely == 0, found.scores.differing == 0 {
      (found.otherFactors, found.differingImages) = (1, 1)
    }
    return found
  }
}
