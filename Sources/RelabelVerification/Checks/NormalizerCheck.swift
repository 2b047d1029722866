internal import Relabel

/// Compares `log_normalizer` with the scores of its cells (rule V022).
struct NormalizerCheck {
  private let file: ShardFile

  init(_ file: ShardFile) { self.file = file }

  /// Looks at all chunks of labels, or at some; what can't be read there other checks report.
  func check(chunks: [Int]?) -> Tally {
    var tally = Tally()
    guard let column = file.optional.first(where: { $0.name == Layout.logNormalizer })?.column
    else {
      return tally
    }
    let (codec, shape) = (MapCodec(file.header), file.header.shape)
    var held: (chunk: Int, bytes: ArraySlice<UInt8>?)?
    var unread = Tally()
    for chunk in chunks ?? Array(0..<file.score.chunks) {
      let scores = ColumnCheck(Layout.score, file.score).bytes(ofChunk: chunk, &unread)
      guard let scores else { continue }
      let firstRow = chunk * file.score.rowsPerChunk
      for start in stride(from: scores.startIndex, to: scores.endIndex, by: file.score.rowBytes) {
        let row = firstRow + (start - scores.startIndex) / file.score.rowBytes
        let (other, place) = row.quotientAndRemainder(dividingBy: column.rowsPerChunk)
        if held?.chunk != other {
          held = (other, ColumnCheck(Layout.logNormalizer, column).bytes(ofChunk: other, &unread))
        }
        guard let bytes = held?.bytes else { continue }
        let found = OptionalValues.lowNormalizer(
          bytes[place * column.rowBytes..<(place + 1) * column.rowBytes],
          codec.score(scores[start..<start + file.score.rowBytes]),
          file.header.encoding,
          shape
        )
        guard let found else { continue }
        let location = Location(dataset: Layout.logNormalizer, row: row, cell: found.cell)
        tally.add(Violation(.v022, found.reason, at: location))
      }
    }
    return tally
  }
}
