import Relabel

/// Numbers of a tensor or array, the last axis fastest, in the bytes of their file.
struct NumberTable {
  /// The most bytes of one table: no batch of views is larger.
  static let maximumBytes: Int = 64 << 20

  let scalar: TorchScalar
  let shape: [Int]
  /// The module of NumPy that an array names; nil for a tensor.
  let module: NumPyModule?
  /// Where the numbers lie; they begin at `start`.
  let bytes: [UInt8]
  let start: Int

  init(_ array: ListArray) {
    (scalar, shape, bytes) = (array.scalar, array.shape, array.bytes)
    (module, start) = (array.module, 0)
  }

  /// - Throws: `.invalidInput` for a tensor that reaches outside its storage, `.unsafeInput` for one that is too large.
  init(_ stored: StoredTensor) throws(RelabelError) {
    let tensor = stored.tensor
    let width = tensor.storage.scalar.width
    (scalar, shape, module) = (tensor.storage.scalar, tensor.sizes, nil)
    guard let size = checkedProduct(of: tensor.sizes + [width]), size <= Self.maximumBytes else {
      throw RelabelError(
        .unsafeInput,
        "a tensor \(tensor.sizes) takes more than the \(Self.maximumBytes >> 20) MiB that are read of one"
      )
    }
    if tensor.isContiguous {
      (bytes, start) = (stored.bytes, stored.start + tensor.offset * width)
      return
    }
    var gathered: [UInt8] = []
    gathered.reserveCapacity(size)
    let last = tensor.sizes.count - 1
    var place = [Int](repeating: 0, count: tensor.sizes.count)
    for _ in 0..<size / width {
      let element = zip(place, tensor.strides).reduce(tensor.offset) { $0 + $1.0 * $1.1 }
      let from = stored.start + element * width
      gathered += stored.bytes[from..<from + width]
      var axis = last
      while axis >= 0 {
        place[axis] += 1
        if place[axis] < tensor.sizes[axis] { break }
        place[axis] = 0
        axis -= 1
      }
    }
    (bytes, start) = (gathered, 0)
  }

  /// Numbers in all.
  var count: Int { shape.reduce(1, *) }

  /// Numbers in one row, the first axis being that of the rows.
  var rowCount: Int { shape.dropFirst().reduce(1, *) }

  /// A number that every type holds exactly but integers of 2⁵³ and more.
  func number(_ place: Int) -> Double {
    bytes.withUnsafeBytes { bytes in
      let numbers = UnsafeRawBufferPointer(rebasing: bytes[start...])
      return switch scalar {
      case .float32: Float.double(numbers, place)
      case .float16: Half.double(numbers, place)
      case .bfloat16: BrainFloat.double(numbers, place)
      case .float64: Double.double(numbers, place)
      case .int64: Whole<Int64>.double(numbers, place)
      case .int32: Whole<Int32>.double(numbers, place)
      case .int16: Whole<Int16>.double(numbers, place)
      case .int8: Whole<Int8>.double(numbers, place)
      case .uint8: Whole<UInt8>.double(numbers, place)
      case .uint16: Whole<UInt16>.double(numbers, place)
      case .uint32: Whole<UInt32>.double(numbers, place)
      case .uint64: Whole<UInt64>.double(numbers, place)
      }
    }
  }

  /// The numbers of a row.
  func row(_ row: Int) -> [Double] {
    (row * rowCount..<(row + 1) * rowCount).map(number)
  }

  /// Where a row's bytes lie.
  func byteRange(ofRow row: Int) -> Range<Int> {
    let size = rowCount * scalar.width
    return start + row * size..<start + (row + 1) * size
  }
}

extension TorchTensor {
  /// True when the elements follow one another without gaps.
  fileprivate var isContiguous: Bool {
    var step = 1
    for (size, stride) in zip(sizes, strides).reversed() {
      if size != 1 && stride != step { return sizes.contains(0) }
      step *= size
    }
    return true
  }
}
