import Relabel

/// Turns the bytes of one row of an array into numbers.
enum NumPyValues {
  /// `count` elements of a floating-point type as binary32.
  ///
  /// A binary64 too large for it becomes infinite.
  static func floats(
    _ scalar: NumPyScalar,
    _ bytes: UnsafeRawBufferPointer,
    _ count: Int
  ) -> [Float] {
    switch scalar {
    case .float16: convert(bytes, count, Half.float)
    case .bfloat16: convert(bytes, count, BrainFloat.float)
    case .float32: convert(bytes, count, Float.float)
    case .float64: convert(bytes, count, Double.float)
    default: convert(bytes, count) { _, _ in .nan }
    }
  }

  /// `count` elements as class ids; nil at those that are not a whole number from 0 to 2³² − 1.
  static func classIDs(
    _ scalar: NumPyScalar,
    _ bytes: UnsafeRawBufferPointer,
    _ count: Int
  ) -> [UInt32?] {
    switch scalar {
    case .float16: convert(bytes, count) { UInt32(exactly: Half.float($0, $1)) }
    case .bfloat16: convert(bytes, count) { UInt32(exactly: BrainFloat.float($0, $1)) }
    case .float32: convert(bytes, count) { UInt32(exactly: Float.float($0, $1)) }
    case .float64: convert(bytes, count) { UInt32(exactly: Double.double($0, $1)) }
    default: convert(bytes, count) { whole(scalar, $0, $1).flatMap { UInt32(exactly: $0) } }
    }
  }

  /// Reorders a row from Fortran order (first axis fastest) to C order (last axis fastest).
  static func fromFortran<Value>(_ values: [Value], shape: [Int]) -> [Value] {
    var strides: [Int] = []
    var product = 1
    for size in shape {
      strides.append(product)
      product *= size
    }
    var result: [Value] = []
    result.reserveCapacity(values.count)
    var place = [Int](repeating: 0, count: shape.count)
    var offset = 0
    for _ in values.indices {
      result.append(values[offset])
      for axis in shape.indices.reversed() {
        place[axis] += 1
        offset += strides[axis]
        if place[axis] < shape[axis] { break }
        offset -= strides[axis] * shape[axis]
        place[axis] = 0
      }
    }
    return result
  }

  private static func convert<Value>(
    _ bytes: UnsafeRawBufferPointer,
    _ count: Int,
    _ element: (UnsafeRawBufferPointer, Int) -> Value
  ) -> [Value] {
    [Value](unsafeUninitializedCapacity: count) { buffer, filled in
      for index in 0..<count {
        buffer.initializeElement(at: index, to: element(bytes, index))
      }
      filled = count
    }
  }

  /// An integer element; nil for one of 8 bytes that is too large.
  private static func whole(
    _ scalar: NumPyScalar,
    _ bytes: UnsafeRawBufferPointer,
    _ index: Int
  ) -> Int64? {
    func load<Element: FixedWidthInteger & BitwiseCopyable>(_: Element.Type) -> Int64? {
      let offset = index * MemoryLayout<Element>.size
      return Int64(
        exactly: Element(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Element.self)
        )
      )
    }
    return switch scalar {
    case .unsigned(1): load(UInt8.self)
    case .unsigned(2): load(UInt16.self)
    case .unsigned(4): load(UInt32.self)
    case .unsigned: load(UInt64.self)
    case .signed(1): load(Int8.self)
    case .signed(2): load(Int16.self)
    case .signed(4): load(Int32.self)
    case .signed: load(Int64.self)
    // Texts are refused before; their widths are no number's.
    case .float16, .bfloat16, .float32, .float64, .bytes, .unicode: nil
    }
  }
}
