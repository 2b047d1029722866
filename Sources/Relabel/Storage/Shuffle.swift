/// HDF5's shuffle filter: byte i of every element together, then byte i + 1.
package enum Shuffle {
  /// Puts the bytes of equal significance together.
  package static func shuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
    transposed(bytes, rows: bytes.count / elementSize, columns: elementSize)
  }

  /// Undoes `shuffled`.
  package static func unshuffled(_ bytes: [UInt8], elementSize: Int) -> [UInt8] {
    transposed(bytes, rows: elementSize, columns: bytes.count / elementSize)
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
