import HDF5
import Testing

@Suite("An array in pieces of whole rows")
struct RowPiecesTests {
  /// Shape, axis of rows, chunk, elements of a piece.
  static let forms: [([Int], Int?, [Int], Int)] = [
    ([4], 0, [], 3), ([4], nil, [], 3), ([3, 4, 5], 0, [], 1), ([3, 4, 5], 0, [], 7),
    ([3, 4, 5], 0, [], 20), ([3, 4, 5], 0, [2, 4, 5], 1000), ([3, 4, 5], 1, [], 15),
    ([3, 4, 5], 1, [], 4), ([3, 4, 5], 2, [], 24), ([3, 4, 5], 2, [], 1000),
    ([3, 4, 5], 2, [3, 3, 3], 40), ([3, 4, 5], nil, [], 6), ([2, 3, 2, 5], 3, [], 60),
    ([2, 3, 2, 5], 1, [1, 2, 2, 5], 7), ([1, 7], 1, [], 3), ([], nil, [], 5),
  ]

  @Test("the elements come once each, rows first", arguments: forms)
  func order(_ form: (shape: [Int], rows: Int?, chunk: [Int], limit: Int)) {
    let shape = form.shape
    let pieces = RowPieces(
      shape: shape,
      rows: form.rows,
      itemBytes: 1,
      chunk: form.chunk,
      pieceBytes: form.limit
    )
    var found: [UInt8] = []
    pieces.forEach { piece in
      #expect(piece.elements <= max(form.limit, 1))
      let bytes = Self.places(of: piece.start, piece.count, in: shape).map { UInt8($0) }
      found += pieces.turned(bytes, of: piece, itemBytes: 1)
    }
    #expect(found == Self.rowsFirst(shape, form.rows ?? 0).map { UInt8($0) })
  }

  @Test("what lies across its rows takes effort that is told")
  func effort() {
    func effort(_ shape: [Int], _ rows: Int, _ chunk: [Int], _ bytes: Int) -> Int {
      RowPieces(shape: shape, rows: rows, itemBytes: 4, chunk: chunk, pieceBytes: bytes).effort
    }
    #expect(effort([1000, 100], 0, [], 4000) == 1)
    #expect(effort([1000, 100], 0, [10, 100], 4000) == 1)
    #expect(effort([1000, 100], 0, [1000, 1], 4000) == 100)
    #expect(effort([100, 1_000_000], 1, [], 4000) == 102)
    #expect(effort([100, 1_000_000], 1, [], 8 << 20) == 1)
    #expect(effort([1, 1_000_000], 1, [], 4000) == 1)
  }

  /// Places in C order of the elements of a part of an array.
  private static func places(of start: [Int], _ count: [Int], in shape: [Int]) -> [Int] {
    zip(zip(start, count), shape).reduce([0]) { places, axis in
      let ((first, some), size) = axis
      return places.flatMap { place in (first..<first + some).map { place * size + $0 } }
    }
  }

  /// Places in C order of all elements of an array whose axis of rows was moved to the front.
  private static func rowsFirst(_ shape: [Int], _ rows: Int) -> [Int] {
    guard !shape.isEmpty else { return [0] }
    return (0..<shape[rows]).flatMap { row -> [Int] in
      var (start, count) = ([Int](repeating: 0, count: shape.count), shape)
      (start[rows], count[rows]) = (row, 1)
      return places(of: start, count, in: shape)
    }
  }
}
