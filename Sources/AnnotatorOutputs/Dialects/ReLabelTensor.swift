import Relabel

/// The dialect of ReLabel and TokenLabeling: a tensor [2, k, H, W] of scores and class ids.
enum ReLabelTensor {
  /// Classes that both score.
  static let classes: Int = 1000

  /// Decodes a `.pt` file.
  static func decode(_ file: [UInt8]) throws(RelabelError) -> LabelMap {
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
    return switch tensor.storage.scalar {
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
    let strides = torch.tensor.strides
    var map = LabelMap(
      shape: shape,
      classIndex: [UInt32](repeating: 0, count: shape.entries),
      score: [Float](repeating: 0, count: shape.entries)
    )
    var fault: Int?
    torch.bytes.withUnsafeBytes { bytes in
      let elements = UnsafeRawBufferPointer(rebasing: bytes[torch.start...])
      var entry = 0
      for y in 0..<shape.height {
        for x in 0..<shape.width {
          var place = torch.tensor.offset + y * strides[2] + x * strides[3]
          for _ in 0..<shape.topK {
            map.score[entry] = Element.float(elements, place)
            let id = Element.double(elements, place + strides[0])
            if let id = UInt32(exactly: id) {
              map.classIndex[entry] = id
            } else if fault == nil {
              fault = entry
              // Kept for the message.
              map.score[entry] = Float(id)
            }
            place += strides[1]
            entry += 1
          }
        }
      }
    }
    if let fault {
      throw RelabelError(
        .invalidInput,
        "\(map.score[fault]) is not a class id; plane 0 of the tensor holds the scores, plane 1"
          + " the class ids",
        at: Location(cell: map.cell(at: fault))
      )
    }
    if Element.self == Double.self, let overflow = map.score.firstIndex(where: { $0.isInfinite }) {
      throw RelabelError(
        .invalidInput,
        "the score is infinite or too large for float32",
        at: Location(cell: map.cell(at: overflow))
      )
    }
    return map
  }
}
