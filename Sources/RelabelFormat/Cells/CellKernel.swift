/// Says quickly whether the stored entries of a map may break a rule of cells; `CellRules` then says
/// where.
///
/// The one kernel that looks at maps: the verifier asks it about every rule, readers, the writer and
/// pooling about those that `SoundMap` names. It never calls a map sound that is not. What it doubts
/// may be sound.
///
/// Generic over the lanes that keys are kept in. It is inlinable down to its loops so that the
/// verifier's module specialises it too: run as generic code it takes twelve times as long.
@usableFromInline
package struct CellKernel<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  /// Class ids as numbers that can be compared.
  @usableFromInline
  package let ids: ClassKeys<Lane>
  /// Scores as numbers that can be compared.
  @usableFromInline
  package let scores: ScoreKeys<Lane>
  @usableFromInline
  let test: MapTest<Lane>
  @usableFromInline
  let entries: Int

  /// Makes the kernel of maps in one form.
  ///
  /// - Parameters:
  ///   - form: how maps are stored.
  ///   - rules: what their cells obey; without an order, entries may come in any.
  @inlinable
  package init(_ form: MapForm, _ rules: CellRules) {
    ids = ClassKeys(form)
    scores = ScoreKeys(form.encoding, rules)
    test = MapTest(form.shape, rules.order)
    entries = form.shape.entries
  }

  /// Makes the keys of a map's stored entries.
  ///
  /// - Returns: false when a class id is not below the number of classes, or may not be; keys of ids
  ///   are then of no use but for comparisons.
  @inlinable
  package func read(
    _ classIndex: UnsafeRawPointer,
    _ score: UnsafeRawPointer,
    into ids: UnsafeMutablePointer<Lane>,
    _ scores: UnsafeMutablePointer<Lane>
  ) -> Bool {
    let isInRange = self.ids.read(classIndex, into: ids)
    self.scores.read(score, entries, into: scores)
    return isInRange
  }

  /// True when scores are in range, ids distinct in each cell, and cells in order.
  ///
  /// - Parameters:
  ///   - ids: the keys of a map's ids, all in range.
  ///   - scores: the keys of its scores.
  ///   - range: their lowest and highest.
  /// - Returns: false where a closer look is needed.
  /// - Complexity: O(cells · k²) in vector instructions for small k, else O(cells · k).
  @inlinable
  package func isSound(
    _ ids: UnsafePointer<Lane>,
    _ scores: UnsafePointer<Lane>,
    _ range: (lowest: Lane, highest: Lane)
  ) -> Bool {
    isInRange(range) && test.isInOrder(ids, scores)
      && (test.order == .class || test.isDistinct(ids))
  }

  /// True when no score breaks a rule by itself.
  @inlinable
  func isInRange(_ range: (lowest: Lane, highest: Lane)) -> Bool {
    range.lowest >= scores.sound.lowest && range.highest <= scores.sound.highest
  }

  /// True when the ids of each cell are distinct, all of them in range.
  @inlinable
  func isDistinct(_ ids: UnsafePointer<Lane>) -> Bool { test.isDistinct(ids) }

  /// Lowest and highest of a map's keys.
  @inlinable
  package func range(_ keys: UnsafePointer<Lane>) -> (lowest: Lane, highest: Lane) {
    MapTest<Lane>.range(keys, entries)
  }
}

/// How the maps of a shard, or of a caller's memory, are stored.
@usableFromInline
package struct MapForm: Sendable {
  @usableFromInline
  package let shape: MapShape
  @usableFromInline
  package let numClasses: Int
  /// True for class ids of 4 bytes, false for 2.
  @usableFromInline
  package let hasWideIDs: Bool
  @usableFromInline
  package let encoding: ScoreEncoding

  package init(shape: MapShape, numClasses: Int, hasWideIDs: Bool, encoding: ScoreEncoding) {
    self.shape = shape
    self.numClasses = numClasses
    self.hasWideIDs = hasWideIDs
    self.encoding = encoding
  }

  /// The form of a shard's maps.
  package init(_ header: ShardHeader) {
    self.init(
      shape: header.shape,
      numClasses: header.numClasses,
      hasWideIDs: header.classIndexType == .uint32,
      encoding: header.encoding
    )
  }

  /// The form of maps that lie decoded in memory.
  package init(inMemory shape: MapShape, numClasses: Int) {
    self.init(
      shape: shape,
      numClasses: numClasses,
      hasWideIDs: true,
      encoding: ScoreEncoding(name: .float32, packing: nil)
    )
  }

  /// True when all keys fit in 16 bits: scores of as many, and ids that leave the highest free.
  package var isNarrow: Bool {
    ClassKeys<Int16>.holds(numClasses) && encoding.elementType.size <= 2
  }
}
