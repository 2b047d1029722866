/// How an array is read in pieces of little memory, so that its rows come one after the other.
///
/// Rows run along one axis, which need not be the first: a piece then is turned so that they come first.
package struct RowPieces: Sendable {
  /// A part of the array: where it begins and how long it is along each axis.
  package struct Piece: Hashable, Sendable {
    package let start: [Int]
    package let count: [Int]

    /// Elements of the piece.
    package var elements: Int { count.reduce(1, *) }
  }

  private let shape: [Int]
  /// The axis of rows.
  private let rows: Int
  /// The axis that is cut into blocks; those before it are read one by one.
  private let cut: Int
  private let block: Int
  /// The axes in the order that they come in: that of rows, then the others.
  private let order: [Int]
  /// How often chunks are unpacked, or neighbours read, because a piece takes a part of them: 1 where none are.
  package let effort: Int

  /// Bytes of one piece.
  package static let pieceBytes = 8 << 20
  /// More effort than this is refused: the array lies across its rows.
  package static let maximumEffort = 16
  /// Bytes that a disk reads together anyway.
  private static let readBytes = 4096

  /// - Parameters:
  ///   - shape: sizes of the array, none of them 0.
  ///   - rows: the axis of rows; nil for an array that is one row.
  ///   - itemBytes: bytes of one element.
  ///   - chunk: sizes of a chunk; empty where there are none.
  ///   - pieceBytes: the most bytes of a piece of more than one element.
  package init(
    shape: [Int],
    rows: Int?,
    itemBytes: Int,
    chunk: [Int],
    pieceBytes: Int = RowPieces.pieceBytes
  ) {
    self.shape = shape
    self.rows = rows ?? 0
    order = shape.isEmpty ? [] : [self.rows] + shape.indices.filter { $0 != rows ?? 0 }
    let limit = max(1, pieceBytes / itemBytes)
    // Bytes behind each axis, in the order that they come in.
    var (place, behind) = (order.count, 1)
    while place > 0, behind * shape[order[place - 1]] <= limit {
      place -= 1
      behind *= shape[order[place]]
    }
    guard place > 0 else {
      (cut, block, effort) = (0, order.isEmpty ? 1 : shape[order[0]], 1)
      return
    }
    cut = place - 1
    let axis = order[cut]
    var block = max(1, limit / behind)
    if !chunk.isEmpty {
      // Whole chunks, where they fit.
      if block > chunk[axis] { block -= block % chunk[axis] }
      effort = order[..<cut].reduce((chunk[axis] + block - 1) / block) {
        $0 * min(chunk[$1], shape[$1])
      }
    } else {
      // Rows that are not the first axis lie in runs, with other rows between them.
      let run = shape[(self.rows + 1)...].reduce(itemBytes, *)
      let together = run * (cut == 0 ? block : 1)
      let isApart = shape[..<self.rows].contains { $0 > 1 }
      effort = isApart ? max(1, min(Self.readBytes, run * shape[self.rows]) / together) : 1
    }
    self.block = block
  }

  /// True where the rows of a piece have to be turned to the front.
  package var turns: Bool {
    cut == 0 && rows > 0 && block > 1 && shape[..<rows].contains { $0 > 1 }
  }

  /// Hands over the pieces, in order.
  package func forEach<Failure: Error>(
    _ body: (Piece) throws(Failure) -> Void
  ) throws(Failure) {
    var (start, count) = ([Int](repeating: 0, count: shape.count), shape)
    guard !order.isEmpty else { return try body(Piece(start: [], count: [])) }
    for axis in order[..<cut] { count[axis] = 1 }
    while true {
      for first in stride(from: 0, to: shape[order[cut]], by: block) {
        start[order[cut]] = first
        count[order[cut]] = min(block, shape[order[cut]] - first)
        try body(Piece(start: start, count: count))
      }
      // The next place along the axes before, the last of them fastest.
      var place = cut - 1
      while place >= 0, start[order[place]] + 1 == shape[order[place]] {
        start[order[place]] = 0
        place -= 1
      }
      if place < 0 { return }
      start[order[place]] += 1
    }
  }

  /// The elements of a piece with its rows first.
  package func turned(_ bytes: [UInt8], of piece: Piece, itemBytes: Int) -> [UInt8] {
    guard turns else { return bytes }
    let before = piece.count[..<rows].reduce(1, *)
    let run = piece.count[(rows + 1)...].reduce(itemBytes, *)
    let size = piece.count[rows]
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for row in 0..<size {
      for place in 0..<before {
        let first = (place * size + row) * run
        result += bytes[first..<first + run]
      }
    }
    return result
  }
}
