import Relabel

/// The dialect of ReLabel and TokenLabeling: a tensor [2, k, H, W] of scores and class ids, or one of each.
struct ReLabelTensor: Dialect {
  /// Classes that both score.
  private static let classes: Int = 1000

  let name = "ReLabel tensor"
  let extensions = [".pt", ".pth", ".th", ".torch"]

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    FoundMaps(Maps(topK: options.topK, classes: options.numClasses ?? Self.classes), region)
  }

  /// What all files of torch share.
  struct Maps: MapDescription {
    /// Classes to keep; nil for all.
    let topK: Int?
    /// Classes of the annotator, as the user or else the convention says.
    let classes: Int

    // What such a file holds is only a convention that the user may overrule.
    var traits: MapTraits {
      MapTraits(
        scoreKind: .logit,
        isConvention: true,
        usualClasses: ReLabelTensor.classes,
        dialect: "ReLabel tensor",
        isReLabelDialect: true
      )
    }

    func load(
      _ region: ByteRegion,
      wantsDense: Bool,
      path: () -> String
    ) throws(RelabelError) -> LoadedMap {
      let bytes = try region.read(limit: Limits.memberBytes, path: path())
      let map = try ReLabelTensor.decode(bytes, classes: classes)
      return LoadedMap(try SparseMap.keepingBest(topK, of: map))
    }
  }

  /// Decodes a file that `torch.save` wrote; `classes` is nil if their number is not known.
  static func decode(_ file: [UInt8], classes: Int? = nil) throws(RelabelError) -> LabelMap {
    switch try TorchFile.read(file) {
    case .stacked(let torch):
      let sizes = torch.tensor.sizes
      guard sizes.count == 4, sizes[0] == 2 else {
        throw RelabelError(
          .invalidInput,
          "the tensor's shape is \(sizes); a map is [2, k, H, W] of scores and class ids"
        )
      }
      return try gather(plane(0, of: torch), plane(1, of: torch), classes)
    case .pair(let scores, let ids):
      let map = try gather(whole(scores), whole(ids), classes)
      try checkOrder(map)
      return map
    }
  }

  /// One [k, H, W] of a tensor.
  private struct Plane {
    let torch: StoredTensor
    let first: Int
    let sizes: [Int]
    let strides: [Int]
  }

  private static func plane(_ plane: Int, of torch: StoredTensor) -> Plane {
    let tensor = torch.tensor
    return Plane(
      torch: torch,
      first: tensor.offset + plane * tensor.strides[0],
      sizes: Array(tensor.sizes[1...]),
      strides: Array(tensor.strides[1...])
    )
  }

  /// All of a tensor [k, H, W] or [1, k, H, W].
  private static func whole(_ torch: StoredTensor) throws(RelabelError) -> Plane {
    let sizes = torch.tensor.sizes
    let isBatch = sizes.count == 4 && sizes[0] == 1
    guard sizes.count == 3 || isBatch else {
      throw RelabelError(
        .invalidInput,
        "a tensor's shape is \(sizes); scores and class ids are [k, H, W] each, one map a file"
      )
    }
    return Plane(
      torch: torch,
      first: torch.tensor.offset,
      sizes: Array(sizes.suffix(3)),
      strides: Array(torch.tensor.strides.suffix(3))
    )
  }

  /// Refuses scores whose last axis is k: `topk` sorts along it, so they fall along it.
  private static func checkOrder(_ map: LabelMap) throws(RelabelError) {
    let shape = map.shape
    func falls(_ count: Int, _ step: Int, _ starts: some Sequence<Int>) -> Bool {
      starts.allSatisfy { start in
        (1..<max(count, 1)).allSatisfy {
          !(map.score[start + $0 * step] > map.score[start + ($0 - 1) * step])
        }
      }
    }
    let cells = (0..<shape.cells).lazy.map { $0 * shape.topK }
    if shape.topK > 1, falls(shape.topK, 1, cells) { return }
    let rows = (0..<shape.height * shape.topK).lazy.map {
      $0 / shape.topK * shape.width * shape.topK + $0 % shape.topK
    }
    let fallsAlongRows = shape.width > 1 && falls(shape.width, shape.topK, rows)
    if shape.topK == 1 && !fallsAlongRows { return }
    throw RelabelError(
      .invalidInput,
      "the scores [\(shape.topK), \(shape.height), \(shape.width)] do not fall along the first axis, as those"
        + " of topk over it do: if the classes lie along another, permute to [k, H, W] first; to say which is"
        + " which, \(TorchMend.oneTensor)"
    )
  }

  /// Collects two strided views, whose bounds `StoredTensor` has checked, in the order [y, x, rank].
  private static func gather(
    _ scores: Plane,
    _ ids: Plane,
    _ classes: Int?
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
    let scalar = ids.torch.tensor.storage.scalar
    try SparseMap.checkIDs(as: scalar.typeName, held: scalar.classesHeld, classes: classes)
    let numbers = doubles(ids, shape)
    guard let classIndex = wholeNumbers(numbers) else {
      let fault = numbers.firstIndex { UInt32(exactly: $0) == nil } ?? 0
      throw RelabelError(
        .invalidInput,
        "\(Float(numbers[fault])) is not a class id; plane 0 of the tensor holds the scores, plane 1"
          + " the class ids",
        at: Location(cell: shape.cell(at: fault))
      )
    }
    let score = floats(scores, shape)
    if scores.torch.tensor.storage.scalar == .float64,
      let overflow = score.firstIndex(where: { $0.isInfinite })
    {
      throw RelabelError(
        .invalidInput,
        "the score is infinite or too large for float32",
        at: Location(cell: shape.cell(at: overflow))
      )
    }
    return LabelMap(shape: shape, classIndex: classIndex, score: score)
  }

  private static func floats(_ plane: Plane, _ shape: MapShape) -> [Float] {
    switch plane.torch.tensor.storage.scalar {
    case .float32: values(plane, shape) { Float.float($0, $1) }
    case .float16: values(plane, shape) { Half.float($0, $1) }
    case .bfloat16: values(plane, shape) { BrainFloat.float($0, $1) }
    case .float64: values(plane, shape) { Double.float($0, $1) }
    case .int64, .int32, .int16, .int8, .uint8: doubles(plane, shape).map { Float($0) }
    }
  }

  private static func doubles(_ plane: Plane, _ shape: MapShape) -> [Double] {
    switch plane.torch.tensor.storage.scalar {
    case .float32: values(plane, shape) { Float.double($0, $1) }
    case .float16: values(plane, shape) { Half.double($0, $1) }
    case .bfloat16: values(plane, shape) { BrainFloat.double($0, $1) }
    case .float64: values(plane, shape) { Double.double($0, $1) }
    case .int64: values(plane, shape) { Whole<Int64>.double($0, $1) }
    case .int32: values(plane, shape) { Whole<Int32>.double($0, $1) }
    case .int16: values(plane, shape) { Whole<Int16>.double($0, $1) }
    case .int8: values(plane, shape) { Whole<Int8>.double($0, $1) }
    case .uint8: values(plane, shape) { Whole<UInt8>.double($0, $1) }
    }
  }

  @inline(__always)
  private static func values<Value: BitwiseCopyable>(
    _ plane: Plane,
    _ shape: MapShape,
    _ value: (UnsafeRawBufferPointer, Int) -> Value
  ) -> [Value] {
    let (torch, first) = (plane.torch, plane.first)
    let (perRank, perRow, perColumn) = (plane.strides[0], plane.strides[1], plane.strides[2])
    return [Value](unsafeUninitializedCapacity: shape.entries) { values, count in
      torch.bytes.withUnsafeBytes { bytes in
        let elements = UnsafeRawBufferPointer(rebasing: bytes[torch.start...])
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
