private import CHDF5
import Glibc

extension ForeignDataset {
  /// Reads numbers in pieces, little-endian, row by row.
  ///
  /// Calls `H5Dread`.
  /// - Parameters:
  ///   - pieces: how, which knows the dataset's shape.
  ///   - isBigEndian: true where the file has the other order of bytes.
  ///   - send: takes the bytes of a piece.
  /// - Throws: the library's error, or what `send` throws.
  package func read(
    _ pieces: RowPieces,
    isBigEndian: Bool,
    _ send: ([UInt8]) throws -> Void
  ) throws {
    let type = try Handle("H5Dget_type", on: path, closer: H5Tclose) { H5Dget_type(handle.id) }
    // The library converts nothing: the bits are those of the file.
    let size = H5Tget_size(type.id)
    try pieces.forEach { piece in
      let spaces = try select(piece)
      let bytes = try Library.locked { () throws(HDF5Error) -> [UInt8] in
        let wanted = piece.elements * size
        let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
          let status = H5Dread(
            handle.id,
            type.id,
            spaces.memory.id,
            spaces.file.id,
            0,
            buffer.baseAddress
          )
          count = status < 0 ? 0 : wanted
        }
        if bytes.count != wanted { throw .current("H5Dread", on: path) }
        return bytes
      }
      var turned = pieces.turned(bytes, of: piece, itemBytes: size)
      if isBigEndian { Self.swap(&turned, size) }
      try send(turned)
    }
  }

  /// Turns the bytes of each element around.
  private static func swap(_ bytes: inout [UInt8], _ size: Int) {
    bytes.withUnsafeMutableBytes { raw in
      switch size {
      case 2: raw.bindMemory(to: UInt16.self).update { $0.byteSwapped }
      case 4: raw.bindMemory(to: UInt32.self).update { $0.byteSwapped }
      case 8: raw.bindMemory(to: UInt64.self).update { $0.byteSwapped }
      default: break
      }
    }
  }

  /// Texts that are read at once.
  private static let textsAtOnce = 4096

  /// Reads the texts of a dataset with one axis: their bytes without what fills them up.
  ///
  /// Calls `H5Dread`, and `H5Dvlen_reclaim` for texts of variable length.
  /// - Parameters:
  ///   - count: how many there are.
  ///   - limit: the most bytes of a text; longer ones are refused.
  ///   - send: takes some of them.
  /// - Throws: the library's error, or what `send` throws.
  package func readTexts(
    _ count: Int,
    limit: Int,
    _ send: ([[UInt8]]) throws -> Void
  ) throws {
    let type = try Handle("H5Dget_type", on: path, closer: H5Tclose) { H5Dget_type(handle.id) }
    let isVariable = H5Tis_variable_str(type.id) > 0
    let size = H5Tget_size(type.id)
    guard isVariable || size <= 16 * limit else {
      throw HDF5Error(call: "H5Dread", object: path, "its texts have \(size) bytes")
    }
    for first in stride(from: 0, to: count, by: Self.textsAtOnce) {
      let some = min(Self.textsAtOnce, count - first)
      let spaces = try select(RowPieces.Piece(start: [first], count: [some]))
      let texts = try Library.locked { () throws(HDF5Error) -> [[UInt8]] in
        isVariable
          ? try variableTexts(some, type.id, spaces.file.id, spaces.memory.id, limit)
          : try fixedTexts(some, type.id, spaces.file.id, spaces.memory.id, size)
      }
      if let place = texts.firstIndex(where: { $0.count > limit }) {
        throw HDF5Error(
          call: "H5Dread",
          object: path,
          "text \(first + place) has more than the \(limit) bytes of a key"
        )
      }
      try send(texts)
    }
  }

  private func fixedTexts(
    _ count: Int,
    _ type: Int64,
    _ file: Int64,
    _ memory: Int64,
    _ size: Int
  ) throws(HDF5Error) -> [[UInt8]] {
    var bytes = [UInt8](repeating: 0, count: count * size)
    try Library.check("H5Dread", on: path) { H5Dread(handle.id, type, memory, file, 0, &bytes) }
    let padding = H5Tget_strpad(type)
    return (0..<count).map { place in
      let text = bytes[place * size..<(place + 1) * size]
      switch padding {
      case H5T_STR_NULLTERM: return Array(text.prefix { $0 != 0 })
      case H5T_STR_SPACEPAD:
        return Array(
          text[..<((text.lastIndex { $0 != 0x20 && $0 != 0 } ?? text.startIndex - 1) + 1)]
        )
      default: return Array(text[..<((text.lastIndex { $0 != 0 } ?? text.startIndex - 1) + 1)])
      }
    }
  }

  private func variableTexts(
    _ count: Int,
    _ type: Int64,
    _ file: Int64,
    _ memory: Int64,
    _ limit: Int
  ) throws(HDF5Error) -> [[UInt8]] {
    var places = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try Library.check("H5Dread", on: path) { H5Dread(handle.id, type, memory, file, 0, &places) }
    defer { H5Dvlen_reclaim(type, memory, 0, &places) }
    return places.map { place in
      guard let place else { return [] }
      let text = UnsafeRawBufferPointer(start: place, count: strnlen(place, limit + 1))
      return Array(text)
    }
  }

  /// A piece in the file, and in memory.
  private struct Spaces: ~Copyable {
    let file: Handle
    let memory: Handle
  }

  /// The piece in the file, and in memory where it is alone.
  private func select(_ piece: RowPieces.Piece) throws(HDF5Error) -> Spaces {
    let file = try Handle("H5Dget_space", on: path, closer: H5Sclose) { H5Dget_space(handle.id) }
    let id = file.id
    if !piece.count.isEmpty {
      try Library.check("H5Sselect_hyperslab", on: path) {
        H5Sselect_hyperslab(
          id,
          H5S_SELECT_SET,
          piece.start.map(hsize_t.init),
          nil,
          piece.count.map(hsize_t.init),
          nil
        )
      }
    }
    return Spaces(file: file, memory: try Dataspace.make(piece.count, maximum: nil))
  }
}

extension UnsafeMutableBufferPointer {
  fileprivate func update(_ change: (Element) -> Element) {
    for place in indices { self[place] = change(self[place]) }
  }
}
