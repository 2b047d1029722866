import Relabel

/// The array `keys` of an `.npz` file: one text for each map.
enum NumPyKeys {
  static func decode(_ stream: ArrayStream) throws(RelabelError) -> [String] {
    let header = try stream.header()
    guard header.shape.count == 1 else {
      throw RelabelError(.invalidInput, "the keys' shape is \(header.shape); it has to be [N]")
    }
    guard header.dataBytes <= Limits.memberBytes else {
      throw RelabelError(.unsafeInput, "the keys take more than \(Limits.memberBytes) bytes")
    }
    let bytes = try stream.read(header.dataBytes)
    try stream.finish()
    var keys: [String] = []
    for row in 0..<header.shape[0] {
      guard let key = text(header.scalar, bytes, row) else {
        throw RelabelError(.invalidInput, "key \(row) is not valid text; save the keys as U or S")
      }
      keys.append(key)
    }
    return keys
  }

  private static func text(_ scalar: NumPyScalar, _ bytes: [UInt8], _ row: Int) -> String? {
    switch scalar {
    case .bytes(let width):
      let cell = bytes[row * width..<(row + 1) * width]
      let end = cell.lastIndex { $0 != 0 }.map { $0 + 1 } ?? cell.startIndex
      return String(validating: cell[..<end], as: UTF8.self)
    case .unicode(let count):
      var values = (0..<count).map { place in
        let at = 4 * (row * count + place)
        return UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
          | UInt32(bytes[at + 3]) << 24
      }
      while values.last == 0 { values.removeLast() }
      return String(validating: values, as: UTF32.self)
    default:
      return nil
    }
  }
}
