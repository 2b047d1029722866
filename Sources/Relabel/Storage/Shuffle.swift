/// HDF5's shuffle filter: byte i of every element together, then byte i + 1.
package enum Shuffle {
  /// Puts the bytes of equal significance together.
  package static func shuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
    switch elementSize {
    case 2: parted(bytes, as: UInt16.self)
    case 4: parted(bytes, as: UInt32.self)
    default: transposed(bytes, rows: bytes.count / elementSize, columns: elementSize)
    }
  }

  /// Undoes `shuffled`.
  package static func unshuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
    switch elementSize {
    case 2: woven(bytes, as: UInt16.self)
    case 4: woven(bytes, as: UInt32.self)
    default: transposed(bytes, rows: elementSize, columns: bytes.count / elementSize)
    }
  }

  /// The byte planes of elements: loops that the compiler turns into vector instructions.
  private static func parted<Element: FixedWidthInteger>(
    _ bytes: [UInt8],
    as type: Element.Type
  ) -> [UInt8] {
    let count = bytes.count / MemoryLayout<Element>.size
    guard count * MemoryLayout<Element>.size == bytes.count else { return bytes }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { planes, initialized in
      bytes.withUnsafeBytes { elements in
        guard let planes = planes.baseAddress, let elements = elements.baseAddress else { return }
        for plane in 0..<MemoryLayout<Element>.size {
          let target = planes + plane &* count
          for place in 0..<count {
            let element = elements.loadUnaligned(
              fromByteOffset: place &* MemoryLayout<Element>.size,
              as: Element.self
            )
            let shift = Element(truncatingIfNeeded: 8 &* plane)
            target[place] = UInt8(truncatingIfNeeded: Element(littleEndian: element) &>> shift)
          }
        }
      }
      initialized = bytes.count
    }
  }

  /// Elements from their byte planes: loops that the compiler turns into vector instructions, since
  /// readers pass every score through here.
  private static func woven<Element: FixedWidthInteger>(
    _ bytes: [UInt8],
    as type: Element.Type
  ) -> [UInt8] {
    let count = bytes.count / MemoryLayout<Element>.size
    guard count * MemoryLayout<Element>.size == bytes.count else { return bytes }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, initialized in
      buffer.withMemoryRebound(to: Element.self) { elements in
        bytes.withUnsafeBufferPointer { planes in
          guard let elements = elements.baseAddress, let planes = planes.baseAddress else { return }
          for element in 0..<count {
            var value: Element = 0
            for plane in 0..<MemoryLayout<Element>.size {
              let byte = Element(truncatingIfNeeded: planes[plane &* count &+ element])
              value |= byte &<< Element(truncatingIfNeeded: 8 &* plane)
            }
            elements[element] = value.littleEndian
          }
        }
      }
      initialized = bytes.count
    }
  }

  private static func transposed(_ bytes: [UInt8], rows: Int, columns: Int) -> [UInt8] {
    // A remainder that fills no element stays where it is, as in the HDF5 filter; ours has none.
    guard rows > 1, columns > 1, rows * columns == bytes.count else { return bytes }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
      bytes.withUnsafeBufferPointer { source in
        for column in 0..<columns {
          let start = column * rows
          for row in 0..<rows { buffer[start + row] = source[row * columns + column] }
        }
      }
      count = bytes.count
    }
  }
}
