import Relabel

/// The dialect of ReLabel and TokenLabeling: a tensor [2, k, H, W] of scores and class ids.
struct ReLabelTensor: Dialect {
  /// Classes that both score.
  private static let classes: Int = 1000

  let name = "ReLabel tensor"
  let extensions = [".pt"]

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    FoundMaps(Maps(topK: options.topK, classes: options.numClasses ?? Self.classes), region)
  }

  /// What all `.pt` files share.
  struct Maps: MapDescription {
    /// Classes to keep; nil for all.
    let topK: Int?
    /// Classes of the annotator, as the user or else the convention says.
    let classes: Int

    // What a .pt file holds is only a convention that the user may overrule.
    var traits: MapTraits {
      MapTraits(
        scoreKind: .logit,
        isConvention: true,
        usualClasses: ReLabelTensor.classes,
        dialect: "ReLabel tensor",
        isReLabelDialect: true
      )
    }

    func load(_ region: ByteRegion, path: () -> String) throws(RelabelError) -> LabelMap {
      let bytes = try region.read(limit: Limits.memberBytes, path: path())
      return try SparseMap.keepingBest(topK, of: ReLabelTensor.decode(bytes, classes: classes))
    }
  }

  /// Decodes a `.pt` file; `classes` is nil where nobody says how many there are.
  static func decode(_ file: [UInt8], classes: Int? = nil) throws(RelabelError) -> LabelMap {
    let torch = try TorchFile(file)
    let tensor = torch.tensor
    guard tensor.sizes.count == 4, tensor.sizes[0] == 2 else {
      throw RelabelError(
        .invalidInput,
        "the tensor's shape is \(tensor.sizes); a map is [2, k, H, W] of scores and class ids"
      )
    }
    let shape = MapShape(
      height: tensor.sizes[2],
      width: tensor.sizes[3],
      topK: tensor.sizes[1]
    )
    if let fault = Limits.fault(height: shape.height, width: shape.width, topK: shape.topK) {
      throw RelabelError(.invalidInput, fault)
    }
    let scalar = tensor.storage.scalar
    try SparseMap.checkIDs(as: scalar.typeName, held: scalar.classesHeld, classes: classes)
    return switch scalar {
    case .float32: try gather(torch, shape, as: Float.self)
    case .float16: try gather(torch, shape, as: Half.self)
    case .bfloat16: try gather(torch, shape, as: BrainFloat.self)
    case .float64: try gather(torch, shape, as: Double.self)
    }
  }

  /// Collects the strided view, whose bounds `TorchFile` has checked, in the order [y, x, rank].
  private static func gather<Element: StoredFloat>(
    _ torch: TorchFile,
    _ shape: MapShape,
    as _: Element.Type
  ) throws(RelabelError) -> LabelMap {
    let ids = plane(1, of: torch, shape) { elements, place in Element.double(elements, place) }
    guard let classIndex = wholeNumbers(ids) else {
      let fault = ids.firstIndex { UInt32(exactly: $0) == nil } ?? 0
      throw RelabelError(
        .invalidInput,
        "\(Float(ids[fault])) is not a class id; plane 0 of the tensor holds the scores, plane 1"
          + " the class ids",
        at: Location(cell: shape.cell(at: fault))
      )
    }
    let score = plane(0, of: torch, shape) { elements, place in Element.float(elements, place) }
    if Element.self == Double.self, let overflow = score.firstIndex(where: { $0.isInfinite }) {
      throw RelabelError(
        .invalidInput,
        "the score is infinite or too large for float32",
        at: Location(cell: shape.cell(at: overflow))
      )
    }
    return LabelMap(shape: shape, classIndex: classIndex, score: score)
  }

  @inline(__always)
  private static func plane<Value: BitwiseCopyable>(
    _ plane: Int,
    of torch: TorchFile,
    _ shape: MapShape,
    _ value: (UnsafeRawBufferPointer, Int) -> Value
  ) -> [Value] {
    let strides = torch.tensor.strides
    let first = torch.tensor.offset + plane * strides[0]
    let (perRank, perRow, perColumn) = (strides[1], strides[2], strides[3])
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

  /// The values as class ids, or nil where one is no whole number of 32 bits.
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
