import Relabel

/// A type of numbers as files hold it, little-endian and not aligned.
protocol StoredFloat {
  /// The element as binary32; a too large binary64 becomes infinite.
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float
  /// The element exactly.
  static func double(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double
}

extension StoredFloat {
  static func double(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
    Double(float(bytes, index))
  }
}

extension Float: StoredFloat {
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    Float(
      bitPattern: UInt32(
        littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
      )
    )
  }
}

extension Double: StoredFloat {
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    Float(double(bytes, index))
  }

  static func double(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
    Double(
      bitPattern: UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
      )
    )
  }
}

/// IEEE 754 binary16.
enum Half: StoredFloat {
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    Float16Bits.widen(
      UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    )
  }
}

/// bfloat16: the upper half of a binary32.
enum BrainFloat: StoredFloat {
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    return Float(bitPattern: UInt32(bits) << 16)
  }
}

/// An integer type; one of 8 bytes is only exact below 2⁵³, and no class id is as large.
enum Whole<Element: FixedWidthInteger & BitwiseCopyable>: StoredFloat {
  static func float(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    Float(double(bytes, index))
  }

  static func double(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Double {
    let offset = index * MemoryLayout<Element>.size
    return Double(
      Element(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Element.self))
    )
  }
}
