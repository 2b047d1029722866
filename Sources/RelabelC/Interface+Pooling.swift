import Relabel

// LabelPooling: the functions of relabel.h, which documents them.

/// See relabel.h.
@c(relabel_pool)
public func relabelPool(
  _ maps: UnsafeMutableRawPointer?,
  _ positions: UnsafePointer<Int64>?,
  _ boxes: UnsafePointer<Double>?,
  _ count: Int64,
  _ boxesPerImage: Int64,
  _ profile: UnsafePointer<CChar>?,
  _ clamp: Int32,
  _ threads: Int32,
  _ targets: UnsafeMutablePointer<Float>?,
  _ covered: UnsafeMutablePointer<Double>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let source = try opened(maps)
    guard let crops = try Crops(boxes, count, boxesPerImage, threads, targets, covered) else {
      return
    }
    guard let positions else { throw missing("positions") }
    let pooling = try LabelPooling(
      source.header,
      profile: word(profile, "profile"),
      outside: clamp == 0 ? .error : .clamp
    )
    let wanted = UnsafeBufferPointer(start: positions, count: crops.images).map { Int($0) }
    try source.writeTargets(at: wanted, pooling, crops)
  }
}

/// See relabel.h.
@c(relabel_pooling_create)
public func relabelPoolingCreate(
  _ numClasses: Int64,
  _ scoreKind: UnsafePointer<CChar>?,
  _ classesAre: UnsafePointer<CChar>?,
  _ fill: UnsafePointer<CChar>?,
  _ temperature: Double,
  _ orientation: UnsafePointer<CChar>?,
  _ height: Int64,
  _ width: Int64,
  _ topK: Int64,
  _ profile: UnsafePointer<CChar>?,
  _ clamp: Int32
) -> UnsafeMutableRawPointer? {
  Failure.object { () throws(RelabelError) in
    guard let kind: ScoreKind = try word(scoreKind, "score_kind") else {
      throw missing("score_kind")
    }
    let relation: ClassRelation = try word(classesAre, "classes_are") ?? .exclusive
    guard let fill: Fill = try word(fill, "fill") else { throw missing("fill") }
    guard let orientation: Orientation = try word(orientation, "orientation") else {
      throw missing("orientation")
    }
    let (side, entries) = (1...Int64(Layout.maximumGridSide), 1...Int64(Layout.maximumTopK))
    guard side.contains(height), side.contains(width), entries.contains(topK), numClasses >= topK,
      temperature > 0, temperature.isFinite
    else {
      throw RelabelError(
        .usage,
        "maps of \(height)×\(width) cells with \(topK) of \(numClasses) classes at temperature "
          + "\(temperature) are none"
      )
    }
    let shape = MapShape(height: Int(height), width: Int(width), topK: Int(topK))
    let pooling = try LabelPooling(
      PoolingKernel(
        numClasses: Int(numClasses),
        kind: kind,
        classesAre: relation,
        fill: fill,
        temperature: temperature
      ),
      shape,
      orientation,
      word(profile, "profile"),
      clamp == 0 ? .error : .clamp
    )
    return ArrayPooling(pooling: pooling, shape: shape)
  }
}

/// See relabel.h.
@c(relabel_pooling_free)
public func relabelPoolingFree(_ pooling: UnsafeMutableRawPointer?) {
  if let pooling { Unmanaged<ArrayPooling>.fromOpaque(pooling).release() }
}

/// See relabel.h.
@c(relabel_pool_arrays)
public func relabelPoolArrays(
  _ pooling: UnsafeMutableRawPointer?,
  _ classIndex: UnsafeRawPointer?,
  _ idBytes: Int32,
  _ score: UnsafePointer<Float>?,
  _ extents: UnsafePointer<Double>?,
  _ boxes: UnsafePointer<Double>?,
  _ count: Int64,
  _ boxesPerImage: Int64,
  _ threads: Int32,
  _ targets: UnsafeMutablePointer<Float>?,
  _ covered: UnsafeMutablePointer<Double>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let arrays = try ArrayPooling.of(pooling)
    guard let crops = try Crops(boxes, count, boxesPerImage, threads, targets, covered) else {
      return
    }
    guard let classIndex else { throw missing("class_index") }
    guard let score else { throw missing("score") }
    let maps = try MapArrays(
      shape: arrays.shape,
      classIndex: classIndex,
      idBytes: Int(idBytes),
      score: score,
      extents: extents
    )
    try arrays.pooling.writeTargets(of: maps, crops)
  }
}

/// See relabel.h.
@c(relabel_pool_factors)
public func relabelPoolFactors(
  _ pooling: UnsafeMutableRawPointer?,
  _ score: UnsafePointer<Float>?,
  _ classFactor: UnsafePointer<UInt8>?,
  _ factorScale: UnsafePointer<Float>?,
  _ extents: UnsafePointer<Double>?,
  _ boxes: UnsafePointer<Double>?,
  _ count: Int64,
  _ boxesPerImage: Int64,
  _ threads: Int32,
  _ targets: UnsafeMutablePointer<Float>?,
  _ covered: UnsafeMutablePointer<Double>?
) -> Int32 {
  Failure.status { () throws(RelabelError) in
    let arrays = try ArrayPooling.of(pooling)
    guard let crops = try Crops(boxes, count, boxesPerImage, threads, targets, covered) else {
      return
    }
    guard let score else { throw missing("score") }
    guard let classFactor else { throw missing("class_factor") }
    guard let factorScale else { throw missing("factor_scale") }
    let maps = MapArrays(
      shape: arrays.shape,
      score: score,
      classFactor: classFactor,
      factorScale: factorScale,
      extents: extents
    )
    try arrays.pooling.ofFactors().writeTargets(of: maps, crops)
  }
}

/// What `relabel_pooling_create` makes.
private final class ArrayPooling: Sendable {
  let pooling: LabelPooling
  let shape: MapShape

  init(pooling: LabelPooling, shape: MapShape) {
    self.pooling = pooling
    self.shape = shape
  }

  /// What a caller's handle stands for.
  static func of(_ handle: UnsafeMutableRawPointer?) throws(RelabelError) -> ArrayPooling {
    guard let handle else { throw missing("pooling") }
    return Unmanaged.fromOpaque(handle).takeUnretainedValue()
  }
}

/// A value by the word that stands for it in the format; nil for NULL.
func word<Value: RawRepresentable & CaseIterable>(
  _ text: UnsafePointer<CChar>?,
  _ name: String
) throws(RelabelError) -> Value? where Value.RawValue == String {
  guard let text else { return nil }
  let word = String(cString: text)
  if let value = Value(rawValue: word) { return value }
  let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
  throw RelabelError(.usage, "\(name) '\(word)' is not one of \(known)")
}
