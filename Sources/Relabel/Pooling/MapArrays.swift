/// Label maps of one shape, one after the other in memory of a caller.
package struct MapArrays: @unchecked Sendable {
  // Unchecked: only read.
  private let shape: MapShape
  private let score: UnsafePointer<Float>
  private let extents: UnsafePointer<Double>?
  private let entries: Entries

  /// What the entries of cells are.
  private enum Entries {
    case classes16(UnsafePointer<UInt16>)
    case classes32(UnsafePointer<UInt32>)
    /// Factors, with what they say of classes, and the ids that number those of one map.
    case factors(UnsafePointer<UInt8>, UnsafePointer<Float>, ids: NumberedIDs)
  }

  /// Wraps memory that stays valid while it is pooled; `extents` is nil for whole pictures.
  ///
  /// - Throws: `.usage` for ids of another size than 2 or 4 bytes.
  package init(
    shape: MapShape,
    classIndex: UnsafeRawPointer,
    idBytes: Int,
    score: UnsafePointer<Float>,
    extents: UnsafePointer<Double>?
  ) throws(RelabelError) {
    (self.shape, self.score, self.extents) = (shape, score, extents)
    switch idBytes {
    case 2: entries = .classes16(classIndex.assumingMemoryBound(to: UInt16.self))
    case 4: entries = .classes32(classIndex.assumingMemoryBound(to: UInt32.self))
    default: throw RelabelError(.usage, "class ids have \(idBytes) bytes, not 2 or 4")
    }
  }

  /// Wraps maps of factors, as above: `classFactor` has `topK` · `numClasses` stored numbers of each map, `factorScale` `topK`.
  package init(
    shape: MapShape,
    score: UnsafePointer<Float>,
    classFactor: UnsafePointer<UInt8>,
    factorScale: UnsafePointer<Float>,
    extents: UnsafePointer<Double>?
  ) {
    (self.shape, self.score, self.extents) = (shape, score, extents)
    entries = .factors(classFactor, factorScale, ids: NumberedIDs(shape))
  }

  /// Memory for what a thread pools.
  fileprivate func scratch(_ pooling: LabelPooling) -> PoolingScratch {
    PoolingScratch(numClasses: pooling.numClasses, shape: shape)
  }

  /// Writes the targets of an image's crops.
  fileprivate func write(
    _ image: Int,
    _ crops: Crops,
    _ pooling: LabelPooling,
    _ scratch: PoolingScratch
  ) throws(RelabelError) {
    let extent = extents.map { CropBox($0 + image * 4) } ?? .whole
    if let fault = extent.fault {
      throw RelabelError(.usage, "the extent \(extent.components) is not a box: \(fault)")
    }
    let score = score + image * shape.entries
    switch entries {
    case .classes16(let ids):
      try crops.write(image, classes(ids, image, score), extent, pooling, scratch)
    case .classes32(let ids):
      try crops.write(image, classes(ids, image, score), extent, pooling, scratch)
    case .factors(let numbers, let scale, let ids):
      let table = FactorTable(
        numClasses: pooling.numClasses,
        numbers: numbers + image * shape.topK * pooling.numClasses,
        scale: scale + image * shape.topK
      )
      try table.check(score, shape)
      let map = MapEntries(
        shape: shape,
        classIndex: UnsafePointer(ids.memory),
        score: score,
        check: .none,
        factors: table
      )
      try crops.write(image, map, extent, pooling, scratch)
    }
  }

  private func classes<ID>(
    _ ids: UnsafePointer<ID>,
    _ image: Int,
    _ score: UnsafePointer<Float>
  ) -> MapEntries<ID> {
    MapEntries(
      shape: shape,
      classIndex: ids + image * shape.entries,
      score: score,
      check: .range
    )
  }
}

/// The ids of a map of factors: 0, 1, … in each cell.
private final class NumberedIDs {
  let memory: UnsafeMutablePointer<UInt16>

  init(_ shape: MapShape) {
    memory = .allocate(capacity: shape.entries)
    for entry in 0..<shape.entries { memory[entry] = UInt16(entry % shape.topK) }
  }

  deinit { memory.deallocate() }
}

extension LabelPooling {
  /// Images that one thread takes at a time: enough to make its memory worth while.
  private static var run: Int { 16 }

  /// Writes the dense targets of some maps in memory.
  ///
  /// - Parameters:
  ///   - maps: one for each image of `crops`.
  ///   - crops: the boxes, and where targets go.
  /// - Throws: the first failure, naming the number of the image; targets are then unspecified.
  package func writeTargets(of maps: MapArrays, _ crops: Crops) throws(RelabelError) {
    let runs = (crops.images + Self.run - 1) / Self.run
    let failures = Parallel.map(runs, jobs: crops.threads) { run -> RelabelError? in
      let scratch = maps.scratch(self)
      for image in run * Self.run..<min((run + 1) * Self.run, crops.images) {
        do throws(RelabelError) {
          try maps.write(image, crops, self, scratch)
        } catch {
          var located = error.located(Location(row: image))
          located.place = image
          return located
        }
      }
      return nil
    }
    if let failure = failures.compactMap(\.self).first { throw failure }
  }
}
