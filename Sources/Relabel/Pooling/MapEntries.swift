/// The entries of one label map, wherever they lie; valid as long as their memory is.
struct MapEntries<ID: FixedWidthInteger & UnsignedInteger & Sendable> {
  let shape: MapShape
  let classIndex: UnsafePointer<ID>
  let score: UnsafePointer<Float>
  /// What pooling has to look at.
  var check = Check.all
  /// What factors say of classes, where ids number factors.
  var factors: FactorTable?

  /// How far the entries are to be trusted.
  enum Check {
    /// A reader has looked at the cells already.
    case none
    /// Ids have to be in range, and targets finite; the caller vouches for distinct ids, which would take
    /// as long to see as pooling a crop.
    case range
    /// As readers do.
    case all
  }

  /// True when all class ids are below `numClasses`.
  func areBelow(_ numClasses: Int) -> Bool {
    guard let limit = ID(exactly: numClasses) else { return true }
    var highest: ID = 0
    for entry in 0..<shape.entries { highest = max(highest, classIndex[entry]) }
    return highest < limit
  }
}

extension LabelMap {
  /// Calls `body` with the entries of this map.
  func withEntries<Result>(
    _ body: (MapEntries<UInt32>) throws(RelabelError) -> Result
  ) throws(RelabelError) -> Result {
    precondition(classIndex.count == shape.entries && score.count == shape.entries)
    return try classIndex.withUnsafeBufferPointer { ids throws(RelabelError) in
      try score.withUnsafeBufferPointer { scores throws(RelabelError) in
        guard let ids = ids.baseAddress, let scores = scores.baseAddress else {
          preconditionFailure("a map has at least one entry")
        }
        let check: MapEntries<UInt32>.Check = isChecked ? .none : .all
        guard let factors else {
          return try body(MapEntries(shape: shape, classIndex: ids, score: scores, check: check))
        }
        return try factors.withTable { table throws(RelabelError) in
          try body(
            MapEntries(shape: shape, classIndex: ids, score: scores, check: check, factors: table)
          )
        }
      }
    }
  }
}

/// Label maps of one shape, one after the other in memory of a caller.
package struct MapArrays: @unchecked Sendable {
  // Unchecked: only read.
  let shape: MapShape
  let classIndex: UnsafeRawPointer
  let idBytes: Int
  let score: UnsafePointer<Float>
  let extents: UnsafePointer<Double>?

  /// Wraps memory that stays valid while it is pooled; `extents` is nil for whole pictures.
  package init(
    shape: MapShape,
    classIndex: UnsafeRawPointer,
    idBytes: Int,
    score: UnsafePointer<Float>,
    extents: UnsafePointer<Double>?
  ) {
    self.shape = shape
    self.classIndex = classIndex
    self.idBytes = idBytes
    self.score = score
    self.extents = extents
  }

  func extent(of image: Int) -> CropBox {
    extents.map { CropBox($0 + image * 4) } ?? .whole
  }

  func entries<ID>(of image: Int) -> MapEntries<ID> {
    let ids = classIndex + image * shape.entries * idBytes
    return MapEntries(
      shape: shape,
      classIndex: ids.assumingMemoryBound(to: ID.self),
      score: score + image * shape.entries,
      check: .range
    )
  }
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
    guard maps.idBytes == 2 || maps.idBytes == 4 else {
      throw RelabelError(.usage, "class ids have \(maps.idBytes) bytes, not 2 or 4")
    }
    let runs = (crops.images + Self.run - 1) / Self.run
    let failures = Parallel.map(runs, jobs: crops.threads) { run -> RelabelError? in
      let scratch = PoolingScratch(numClasses: numClasses, shape: maps.shape)
      for image in run * Self.run..<min((run + 1) * Self.run, crops.images) {
        do throws(RelabelError) {
          let extent = maps.extent(of: image)
          if let fault = extent.fault {
            throw RelabelError(.usage, "the extent \(extent.components) is not a box: \(fault)")
          }
          if maps.idBytes == 2 {
            let entries: MapEntries<UInt16> = maps.entries(of: image)
            try crops.write(image, entries, extent, self, scratch)
          } else {
            let entries: MapEntries<UInt32> = maps.entries(of: image)
            try crops.write(image, entries, extent, self, scratch)
          }
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

extension ClassFactors {
  /// Lends the factors to `body`.
  fileprivate func withTable<Result>(
    _ body: (FactorTable) throws(RelabelError) -> Result
  ) throws(RelabelError) -> Result {
    try numbers.withUnsafeBufferPointer { numbers throws(RelabelError) in
      try scale.withUnsafeBufferPointer { scale throws(RelabelError) in
        guard let numbers = numbers.baseAddress, let scale = scale.baseAddress else {
          preconditionFailure("a map has at least one factor")
        }
        return try body(FactorTable(numClasses: numClasses, numbers: numbers, scale: scale))
      }
    }
  }
}
