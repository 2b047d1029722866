import Relabel

// Here and not beside `OpenFile`: generic code is only fast in the module that calls it.
extension OpenFile {
  /// Writes 4-byte values at `offset`, in the byte order of this machine.
  func write<Value: BitwiseCopyable>(_ values: [Value], at offset: Int) throws(RelabelError) {
    let result = values.withUnsafeBytes { bytes in
      Result { () throws(RelabelError) in try write(bytes: bytes, at: offset) }
    }
    try result.get()
  }

  /// Reads 4-byte values back.
  func values<Value: BitwiseCopyable>(
    at offset: Int,
    count: Int,
    as _: Value.Type
  ) throws(RelabelError) -> [Value] {
    let bytes = try readUnbounded(at: offset, count: count * MemoryLayout<Value>.stride)
    return bytes.withUnsafeBytes { bytes in
      [Value](unsafeUninitializedCapacity: count) { buffer, filled in
        for index in 0..<count {
          let place = index * MemoryLayout<Value>.stride
          buffer.initializeElement(
            at: index,
            to: bytes.loadUnaligned(fromByteOffset: place, as: Value.self)
          )
        }
        filled = count
      }
    }
  }
}
