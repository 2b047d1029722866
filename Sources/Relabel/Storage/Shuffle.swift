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
    [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
      bytes.withUnsafeBytes {
        unshuffle($0, elementSize: elementSize, into: UnsafeMutableRawBufferPointer(buffer))
      }
      count = bytes.count
    }
  }

  /// The same into memory for as many bytes, which lies elsewhere.
  static func unshuffle(
    _ bytes: UnsafeRawBufferPointer,
    elementSize: Int,
    into room: UnsafeMutableRawBufferPointer
  ) {
    precondition(room.count >= bytes.count)
    guard let source = bytes.baseAddress, let target = room.baseAddress else { return }
    let count = bytes.count / elementSize
    // A remainder that fills no element stays where it is, as in the HDF5 filter; ours has none.
    guard count * elementSize == bytes.count else { return room.copyMemory(from: bytes) }
    switch elementSize {
    case 2: weave(source, count, into: target, as: UInt16.self)
    case 4: weave(source, count, into: target, as: UInt32.self)
    default:
      for element in 0..<count {
        for plane in 0..<elementSize {
          room[element * elementSize + plane] = bytes[plane * count + element]
        }
      }
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
  private static func weave<Element: FixedWidthInteger>(
    _ planes: UnsafeRawPointer,
    _ count: Int,
    into elements: UnsafeMutableRawPointer,
    as type: Element.Type
  ) {
    let planes = planes.assumingMemoryBound(to: UInt8.self)
    let elements = elements.assumingMemoryBound(to: Element.self)
    for element in 0..<count {
      var value: Element = 0
      for plane in 0..<MemoryLayout<Element>.size {
        let byte = Element(truncatingIfNeeded: planes[plane &* count &+ element])
        value |= byte &<< Element(truncatingIfNeeded: 8 &* plane)
      }
      elements[element] = value.littleEndian
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
