import Relabel

/// Maps that come front to back, spooled: a file's arrays are taken one after the other, in any order.
struct SpooledArrays {
  /// One of the arrays that has been spooled.
  struct Part {
    let header: NumPyHeader
    let file: OpenFile
    let offset: Int
  }

  let options: InputOptions
  private(set) var dense: (Part, DenseLayout, scoreOffset: Int, kind: ScoreKind?)?
  var classIndex: Part?
  var score: Part?
  /// The keys of the maps, where the file has some.
  var keys: (any MapKeys)?
  /// Where the scores of all classes of some dense maps are kept, by row.
  private(set) var wholeRows: [Int: Int] = [:]
  /// Where each cell's logarithm of the sum over all classes is kept, where it is wanted.
  private(set) var normalizerOffset: Int?
  private(set) var faults: [Int: RelabelError] = [:]

  init(_ options: InputOptions) { self.options = options }

  /// Takes the scores of all classes, whose kind is nil where nothing says it, and keeps the best of each map.
  mutating func takeDense(
    _ stream: any ArrayStream,
    _ kind: ScoreKind?,
    _ spool: inout Spool
  ) throws(RelabelError) {
    let stored = try stream.header()
    let isGlobal = stored.shape.count < 3 && options.axes == nil
    let turn = try AxisTurn(
      stored,
      isGlobal ? ArrayAxes.dense(stored.shape, options) : options.axes,
      [.c, .y, .x],
      dropsFirst: options.isBackgroundFirst
    )
    let header = turn.header
    let isSettled = isGlobal || options.axes != nil || options.isBackgroundFirst
    let layout = try DenseLayout(header, options, isSettled: isSettled)
    let rows = layout.rows ?? 1
    let entries = layout.shape.entries
    guard let values = checkedProduct(rows, entries) else { throw Self.overflow }
    let (file, classOffset) = try spool.reserve(values: values)
    let (_, scoreOffset) = try spool.reserve(values: values)
    let cells = layout.shape.cells
    if layout.keepsLogNormalizer {
      normalizerOffset = try spool.reserve(values: rows * cells).offset
    }
    for row in 0..<rows {
      let bytes = turn.turned(try stream.read(turn.rowBytes))
      do throws(RelabelError) {
        let isWhole = keepsWhole(row, of: rows, spool)
        let loaded = try layout.loaded(bytes, wantsDense: isWhole)
        let map = loaded.map
        try file.write(map.classIndex, at: classOffset + row * entries * 4)
        try file.write(map.score, at: scoreOffset + row * entries * 4)
        if let normalizerOffset, let values = loaded.logNormalizer {
          try file.write(values, at: normalizerOffset + row * cells * 4)
        }
        if let dense = loaded.dense { try keepWhole(dense, row, &spool) }
      } catch {
        try note(error, row)
      }
    }
    try stream.finish()
    guard dense == nil else {
      throw RelabelError(.invalidInput, "the file has both logits and probabilities")
    }
    dense = (Part(header: header, file: file, offset: classOffset), layout, scoreOffset, kind)
  }

  /// The most dense maps of a file, and of all files, whose scores of all classes are kept: a sample to
  /// measure on what the cut to k does.
  private static let (wholeRowsOfFile, wholeRowsOfAll) = (16, 16)

  private func keepsWhole(_ row: Int, of rows: Int, _ spool: Spool) -> Bool {
    options.keepsDense
      || row % max(1, rows / Self.wholeRowsOfFile) == 0 && wholeRows.count < Self.wholeRowsOfFile
        && spool.samples < Self.wholeRowsOfAll
  }

  private mutating func keepWhole(
    _ dense: DenseMap,
    _ row: Int,
    _ spool: inout Spool
  ) throws(RelabelError) {
    spool.samples += 1
    let (file, offset) = try spool.reserve(values: dense.score.count)
    try file.write(dense.score, at: offset)
    wholeRows[row] = offset
  }

  /// Keeps the first fault of a row, so that the other rows of the file stay usable.
  mutating func note(_ error: RelabelError, _ row: Int) throws(RelabelError) {
    if error.code == .io || error.code == .internalFault { throw error }
    if faults[row] == nil { faults[row] = error }
  }
}
