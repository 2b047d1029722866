import Relabel

/// The array `keys` of an `.npz` file: one text for each map, spooled.
struct NumPyKeys: MapKeys {
  /// How many keys there are.
  let count: Int
  private let scalar: NumPyScalar
  private let file: OpenFile
  private let offset: Int

  /// Keys that are read at once.
  private static let block = 4096

  /// Reads, checks and spools the array.
  init(_ stream: any ArrayStream, _ spool: inout Spool) throws(RelabelError) {
    let header = try stream.header()
    guard header.shape.count == 1 else {
      throw RelabelError(.invalidInput, "the keys' shape is \(header.shape); it has to be [N]")
    }
    guard header.dataBytes <= Limits.memberBytes else {
      throw RelabelError(.unsafeInput, "the keys take more than \(Limits.memberBytes) bytes")
    }
    (count, scalar) = (header.shape[0], header.scalar)
    (file, offset) = try spool.reserve(bytes: header.dataBytes)
    let width = count == 0 ? 0 : header.dataBytes / count
    for first in stride(from: 0, to: count, by: Self.block) {
      let rows = min(Self.block, count - first)
      let bytes = try stream.read(rows * width)
      for row in 0..<rows where Self.text(scalar, bytes, row) == nil {
        throw RelabelError(
          .invalidInput,
          "key \(first + row) is not valid text; save the keys as U or S"
        )
      }
      try file.write(bytes, at: offset + first * width)
    }
    try stream.finish()
  }

  /// The key of a row.
  ///
  /// - Throws: `.io` when the temporary file can't be read.
  func key(ofRow row: Int) throws(RelabelError) -> String {
    let width = scalar.width ?? 0
    let bytes = try file.readUnbounded(at: offset + row * width, count: width)
    return Self.text(scalar, bytes, 0) ?? ""
  }

  private static func text(_ scalar: NumPyScalar, _ bytes: [UInt8], _ row: Int) -> String? {
    switch scalar {
    case .bytes(let width):
      return String(exactly: bytes[row * width..<(row + 1) * width].unpadded)
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
