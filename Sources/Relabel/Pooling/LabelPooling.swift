/// Pools a label map over a crop box: RoIAlign with an output of 1×1, then a probability for each
/// class (spec, section 13; Re-labeling ImageNet, section 3.3).
///
/// ```swift
/// let pooling = try LabelPooling(dataset.header)
/// let crop = CropBox(top: 0.1, left: 0.1, height: 0.4, width: 0.4)
/// let target = try pooling.target(of: dataset.map(at: 0), in: crop)
/// for (classIndex, probability) in target.top(3) { print(classIndex, probability) }
/// ```
///
/// Pooling works on the stored entries alone and never makes the dense array of all classes. Callable from any thread.
public struct LabelPooling: Sendable {
  /// Which axis of the grid runs along which side of the box.
  public let profile: PoolingProfile
  /// What happens to boxes that leave the map's extent.
  public let outside: OutsideExtent
  let kernel: PoolingKernel
  private let isTransposed: Bool
  private let entriesTest: EntriesTest
  /// True where ids of cells number factors.
  private(set) var hasFactors: Bool

  /// The most classes that targets are made for: sums take 9 bytes for each class and thread.
  public static let maximumClasses: Int = 1 << 24

  /// Makes the pooling of the maps of a shard or dataset.
  ///
  /// - Parameters:
  ///   - header: what the maps mean.
  ///   - profile: nil follows the orientation.
  ///   - outside: what happens to boxes that leave the map's extent.
  /// - Throws: `.usage` for maps of unknown orientation without a named profile, and for a profile
  ///   that is not defined for their grid.
  public init(
    _ header: ShardHeader,
    profile: PoolingProfile? = nil,
    outside: OutsideExtent = .error
  ) throws(RelabelError) {
    try self.init(
      PoolingKernel(header),
      header.shape,
      header.orientation,
      profile,
      outside,
      hasFactors: header.hasFactors
    )
  }

  /// Makes the pooling of maps in memory.
  package init(
    _ kernel: PoolingKernel,
    _ shape: MapShape,
    _ orientation: Orientation,
    _ profile: PoolingProfile?,
    _ outside: OutsideExtent,
    hasFactors: Bool = false
  ) throws(RelabelError) {
    self.hasFactors = hasFactors
    guard profile != nil || orientation != .unknown else {
      throw RelabelError(
        .usage,
        "nobody knows how these maps lie on the picture (orientation unknown): name the profile, "
          + "'relabel' if their rows run down it, or 'relabel-2021' to pool as the released code does"
      )
    }
    let profile = profile ?? .relabel
    guard profile != .relabel2021 || shape.height == shape.width else {
      throw RelabelError(
        .usage,
        "profile 'relabel-2021' is not defined for a grid of \(shape.height)×\(shape.width): "
          + "the released code takes both lengths from the width"
      )
    }
    guard kernel.kind != .logit || kernel.fill == .zero else {
      throw RelabelError(
        .usage,
        "absent classes of logits have logit 0: fill is 'zero', not 'uniform'"
      )
    }
    guard kernel.classesAre == .exclusive || kernel.fill == .zero else {
      throw RelabelError(
        .usage,
        "classes that don't exclude each other leave no rest to share: fill is 'zero', not 'uniform'"
      )
    }
    guard kernel.numClasses <= Self.maximumClasses else {
      throw RelabelError(.usage, "targets of \(kernel.numClasses) classes are not pooled")
    }
    self.profile = profile
    self.outside = outside
    self.kernel = kernel
    entriesTest = EntriesTest(numClasses: kernel.numClasses)
    isTransposed = profile.isTransposed(orientation)
  }

  /// The same pooling of maps of factors.
  ///
  /// - Throws: `.usage` for scores that factors don't add up to.
  package func ofFactors() throws(RelabelError) -> LabelPooling {
    guard kernel.hasSoftmax else {
      throw RelabelError(.usage, "factors add up to logits of classes that exclude each other")
    }
    var pooling = self
    pooling.hasFactors = true
    return pooling
  }

  /// How many classes a target has.
  public var numClasses: Int { kernel.numClasses }

  /// The target of a crop.
  ///
  /// - Parameters:
  ///   - map: the labels of the image, with the extent they cover.
  ///   - box: the crop, in fractions of the original picture.
  /// - Returns: the target, sparse.
  /// - Throws: `.usage` for an invalid box, or one that leaves the extent; `.invalidInput` for a cell that no
  ///   reader would return.
  /// - Complexity: O(entries of the map), and memory for `numClasses` sums.
  public func target(of map: LabelMap, in box: CropBox) throws(RelabelError) -> PooledTarget {
    let scratch = PoolingScratch(numClasses: numClasses, shape: map.shape)
    return try map.withEntries { entries throws(RelabelError) in
      try target(of: entries, map.extent, in: box, scratch)
    }
  }

  /// As above, of entries in memory, with memory that is used again.
  func target<ID>(
    of map: MapEntries<ID>,
    _ extent: CropBox,
    in box: CropBox,
    _ scratch: PoolingScratch
  ) throws(RelabelError) -> PooledTarget {
    let covered = try weigh(box, extent, map.shape, scratch)
    try check(map)
    if let factors = map.factors {
      let probability = [Float](unsafeUninitializedCapacity: numClasses) { room, count in
        guard let target = room.baseAddress else { preconditionFailure("there is a class") }
        scratch.write(map, factors, scale: kernel.scale, to: target)
        count = numClasses
      }
      return PooledTarget(
        numClasses: numClasses,
        classIndex: (0..<numClasses).map { UInt32($0) },
        probability: probability,
        rest: 0,
        covered: covered
      )
    }
    let rest = try pool(map, scratch)
    defer { scratch.clear() }
    let (classIndex, probability) = scratch.sums.sorted()
    return PooledTarget(
      numClasses: numClasses,
      classIndex: classIndex,
      probability: probability.map { Float($0) },
      rest: rest,
      covered: covered
    )
  }

  /// Writes the dense target of a crop to `target`, which has room for `numClasses` probabilities,
  /// and returns the covered share.
  func write<ID>(
    _ map: MapEntries<ID>,
    _ box: CropBox,
    _ extent: CropBox,
    _ scratch: PoolingScratch,
    to target: UnsafeMutablePointer<Float>
  ) throws(RelabelError) -> Double {
    let covered = try weigh(box, extent, map.shape, scratch)
    try check(map)
    if let factors = map.factors {
      scratch.write(map, factors, scale: kernel.scale, to: target)
      return covered
    }
    let rest = try pool(map, scratch)
    target.update(repeating: rest, count: numClasses)
    scratch.sums.take { id, probability in target[id] = Float(probability) }
    return covered
  }

  /// Refuses maps that can't be pooled.
  @inline(__always)
  func check<ID>(_ map: MapEntries<ID>) throws(RelabelError) {
    if map.check == .none, !hasFactors, map.factors == nil { return }
    try checkAll(map)
  }

  private func checkAll<ID>(_ map: MapEntries<ID>) throws(RelabelError) {
    switch map.check {
    case .none: break
    case .range: if !map.areBelow(numClasses) { try entriesTest.check(map) }
    case .all: try entriesTest.check(map)
    }
    guard hasFactors == (map.factors != nil) else {
      throw RelabelError(
        .usage,
        hasFactors
          ? "this map has classes, and the pooling is of factors"
          : "this map has factors, and the pooling is of classes"
      )
    }
    if let factors = map.factors { try entriesTest.check(map, factors) }
  }

  /// Leaves the probabilities of a map of classes in `scratch`, whose weights have been set.
  func pool<ID>(
    _ map: MapEntries<ID>,
    _ scratch: PoolingScratch
  ) throws(RelabelError) -> Float {
    let sums = kernel.sum(map, scratch)
    let rest = kernel.finish(scratch, rest: sums)
    // A score that is not finite makes a target of the class that is not.
    if map.check == .range, !scratch.sums.areFinite {
      do throws(RelabelError) { try entriesTest.check(map) } catch {
        scratch.clear()
        throw error
      }
    }
    return rest
  }

  /// Sets the weights of a box and returns the share of it that the extent covers.
  func weigh(
    _ box: CropBox,
    _ extent: CropBox,
    _ shape: MapShape,
    _ scratch: PoolingScratch
  ) throws(RelabelError) -> Double {
    let (box, covered) = try mapped(box, into: extent)
    let vertical = (start: box.top, length: box.height)
    let horizontal = (start: box.left, length: box.width)
    let (rows, columns) = isTransposed ? (horizontal, vertical) : (vertical, horizontal)
    scratch.rows.fill(start: rows.start, length: rows.length, count: shape.height)
    scratch.columns.fill(start: columns.start, length: columns.length, count: shape.width)
    return covered
  }

  /// The box in fractions of the extent, and the share of it that the extent covers.
  private func mapped(
    _ box: CropBox,
    into extent: CropBox
  ) throws(RelabelError) -> (CropBox, covered: Double) {
    if let fault = box.fault {
      let hint =
        box.components.contains { $0 > 1 }
        ? "; divide pixels by the picture's height and width" : ""
      throw RelabelError(
        .usage,
        "the box \(box.components) is not within the picture: \(fault)\(hint)"
      )
    }
    if extent == .whole { return (box, 1) }
    let clamps = outside == .clamp
    let vertical = MappedSide(box.top, box.height, extent.top, extent.height, clamps: clamps)
    let horizontal = MappedSide(box.left, box.width, extent.left, extent.width, clamps: clamps)
    guard let vertical, let horizontal else {
      throw RelabelError(
        .usage,
        "the box \(box.components) lies outside what the map covers, \(extent.components)"
      )
    }
    guard !vertical.leaves, !horizontal.leaves else {
      throw RelabelError(
        .usage,
        "the box \(box.components) leaves what the map covers, \(extent.components): crop inside it, "
          + "or ask for clamping"
      )
    }
    let mapped = CropBox(
      top: vertical.start,
      left: horizontal.start,
      height: vertical.length,
      width: horizontal.length
    )
    return (mapped, vertical.covered * horizontal.covered)
  }
}

/// One side of a box in fractions of an extent (spec, section 13.2).
private struct MappedSide {
  private(set) var start: Double
  private(set) var length: Double
  /// The share of the side that lies in the extent, where it was cut to it.
  private(set) var covered = 1.0
  /// True where it reaches beyond the extent by more than rounding explains.
  private(set) var leaves = false

  /// Nil for a side that has nothing in common with the extent.
  init?(_ start: Double, _ length: Double, _ origin: Double, _ size: Double, clamps: Bool) {
    (self.start, self.length) = ((start - origin) / size, length / size)
    let end = self.start + self.length
    guard self.start < 1, end > 0 else { return nil }
    // A side that fits stays as it is, to the last bit.
    guard self.start < -CropBox.tolerance || end > 1 + CropBox.tolerance else { return }
    let first = max(start, origin)
    let cut = min(start + length, origin + size) - first
    guard cut > 0 else { return nil }
    guard clamps else {
      leaves = true
      return
    }
    (self.start, self.length, covered) = ((first - origin) / size, cut / size, cut / length)
  }
}
