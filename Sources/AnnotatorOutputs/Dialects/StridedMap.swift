import Relabel

/// Numbers [depth, H, W] as they lie in bytes, in any order of axes; depth is k or the classes.
struct StridedPlane {
  let scalar: TorchScalar
  let bytes: [UInt8]
  /// Bytes before element 0.
  let start: Int
  /// The element that comes first.
  let first: Int
  let sizes: [Int]
  let strides: [Int]
}

/// Collects label maps from strided planes.
enum StridedMap {
  /// Where class ids are in a file, for who has exchanged them with the scores.
  static let idsBehind: String =
    "plane 0 of the tensor holds the scores, plane 1 the class ids"

  /// Collects two planes, whose bounds their file's reader has checked, in the order [y, x, rank].
  ///
  /// - Parameters:
  ///   - scores: their depth is k.
  ///   - ids: the class ids, of the same shape.
  ///   - classes: how many classes the annotator scores; nil if that is not known.
  ///   - order: where ids and scores are, in words.
  /// - Returns: the map.
  /// - Throws: `.invalidInput` for what can't be a map.
  static func sparse(
    _ scores: StridedPlane,
    _ ids: StridedPlane,
    _ classes: Int?,
    order: String = idsBehind
  ) throws(RelabelError) -> LabelMap {
    guard scores.sizes == ids.sizes else {
      throw RelabelError(
        .invalidInput,
        "the scores are \(scores.sizes), the class ids \(ids.sizes); both are [k, H, W]"
      )
    }
    let sizes = scores.sizes
    let shape = MapShape(height: sizes[1], width: sizes[2], topK: sizes[0])
    if let fault = Limits.fault(height: shape.height, width: shape.width, topK: shape.topK) {
      throw RelabelError(.invalidInput, fault)
    }
    let scalar = ids.scalar
    try SparseMap.checkIDs(as: scalar.typeName, held: scalar.classesHeld, classes: classes)
    let numbers = doubles(ids, shape)
    guard let classIndex = wholeNumbers(numbers) else {
      let fault = numbers.firstIndex { UInt32(exactly: $0) == nil } ?? 0
      throw RelabelError(
        .invalidInput,
        "\(Float(numbers[fault])) is not a class id; \(order)",
        at: Location(cell: shape.cell(at: fault))
      )
    }
    let score = floats(scores, shape)
    if scores.scalar == .float64, let overflow = score.firstIndex(where: { $0.isInfinite }) {
      throw RelabelError(
        .invalidInput,
        "the score is infinite or too large for float32",
        at: Location(cell: shape.cell(at: overflow))
      )
    }
    return LabelMap(shape: shape, classIndex: classIndex, score: score)
  }

  /// The scores of a plane of all classes in the order [C, y, x].
  static func dense(_ plane: StridedPlane) -> [Float] {
    let sizes = plane.sizes
    // Classes run along x of a map whose k is W: the same walk in another order.
    let turned = StridedPlane(
      scalar: plane.scalar,
      bytes: plane.bytes,
      start: plane.start,
      first: plane.first,
      sizes: [sizes[2], sizes[0], sizes[1]],
      strides: [plane.strides[2], plane.strides[0], plane.strides[1]]
    )
    return floats(turned, MapShape(height: sizes[0], width: sizes[1], topK: sizes[2]))
  }

  private static func floats(_ plane: StridedPlane, _ shape: MapShape) -> [Float] {
    switch plane.scalar {
    case .float32: values(plane, shape) { Float.float($0, $1) }
    case .float16: values(plane, shape) { Half.float($0, $1) }
    case .bfloat16: values(plane, shape) { BrainFloat.float($0, $1) }
    case .float64: values(plane, shape) { Double.float($0, $1) }
    default: doubles(plane, shape).map { Float($0) }
    }
  }

  private static func doubles(_ plane: StridedPlane, _ shape: MapShape) -> [Double] {
    switch plane.scalar {
    case .float32: values(plane, shape) { Float.double($0, $1) }
    case .float16: values(plane, shape) { Half.double($0, $1) }
    case .bfloat16: values(plane, shape) { BrainFloat.double($0, $1) }
    case .float64: values(plane, shape) { Double.double($0, $1) }
    case .int64: values(plane, shape) { Whole<Int64>.double($0, $1) }
    case .int32: values(plane, shape) { Whole<Int32>.double($0, $1) }
    case .int16: values(plane, shape) { Whole<Int16>.double($0, $1) }
    case .int8: values(plane, shape) { Whole<Int8>.double($0, $1) }
    case .uint8: values(plane, shape) { Whole<UInt8>.double($0, $1) }
    case .uint16: values(plane, shape) { Whole<UInt16>.double($0, $1) }
    case .uint32: values(plane, shape) { Whole<UInt32>.double($0, $1) }
    case .uint64: values(plane, shape) { Whole<UInt64>.double($0, $1) }
    }
  }

  @inline(__always)
  private static func values<Value: BitwiseCopyable>(
    _ plane: StridedPlane,
    _ shape: MapShape,
    _ value: (UnsafeRawBufferPointer, Int) -> Value
  ) -> [Value] {
    let first = plane.first
    let (perRank, perRow, perColumn) = (plane.strides[0], plane.strides[1], plane.strides[2])
    return [Value](unsafeUninitializedCapacity: shape.entries) { values, count in
      plane.bytes.withUnsafeBytes { bytes in
        let elements = UnsafeRawBufferPointer(rebasing: bytes[plane.start...])
        for y in 0..<shape.height {
          for x in 0..<shape.width {
            let place = first &+ y &* perRow &+ x &* perColumn
            for rank in 0..<shape.topK {
              values[count &+ rank] = value(elements, place &+ rank &* perRank)
            }
            count &+= shape.topK
          }
        }
      }
    }
  }

  /// The values as class ids, or nil if one is not a whole number of 32 bits.
  private static func wholeNumbers(_ values: [Double]) -> [UInt32]? {
    // Added, it leaves a whole number's value in the low bits. Without branches or traps inside, the
    // loop becomes vector instructions: sound maps have nothing to stop for.
    let anchor = 0x1p52
    var areWhole = true
    let numbers = [UInt32](unsafeUninitializedCapacity: values.count) { numbers, count in
      for (place, value) in values.enumerated() {
        let anchored = value + anchor
        areWhole = areWhole && anchored - anchor == value && value >= 0 && value < 0x1p32
        numbers[place] = UInt32(truncatingIfNeeded: anchored.bitPattern)
      }
      count = values.count
    }
    return areWhole ? numbers : nil
  }
}
