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

extension ClassFactors {
  /// Lends the factors to `body`.
  func withTable<Result, Failure: Error>(
    _ body: (FactorTable) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try numbers.withUnsafeBufferPointer { numbers throws(Failure) in
      try scale.withUnsafeBufferPointer { scale throws(Failure) in
        guard let numbers = numbers.baseAddress, let scale = scale.baseAddress else {
          preconditionFailure("a map has at least one factor")
        }
        return try body(FactorTable(numClasses: numClasses, numbers: numbers, scale: scale))
      }
    }
  }
}
