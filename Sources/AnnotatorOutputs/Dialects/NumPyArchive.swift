import Relabel

/// Reads an `.npz` file once, front to back, and spools its maps.
struct NumPyArchive {
  /// One of the arrays that has been spooled.
  struct Part {
    let header: NumPyHeader
    let file: OpenFile
    let offset: Int
  }

  let options: InputOptions
  private(set) var dense: (Part, DenseLayout, scoreOffset: Int, kind: ScoreKind)?
  private(set) var classIndex: Part?
  private(set) var score: Part?
  private(set) var keys: NumPyKeys?
  /// Where the scores of all classes of some dense maps are kept, by row.
  private(set) var wholeRows: [Int: Int] = [:]
  /// Where each cell's logarithm of the sum over all classes is kept, where it is wanted.
  private(set) var normalizerOffset: Int?
  private(set) var faults: [Int: RelabelError] = [:]
  private var names: Set<String> = []

  /// The images of the file at `path`, and their keys when it has some.
  static func read(
    _ path: String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let file = try OpenFile(reading: path)
    if GitLFSPointer.begins(try file.read(at: 0, count: min(file.size, 64))) {
      throw RelabelError(.invalidInput, GitLFSPointer.fault)
    }
    let reader = try ArchiveReader(zip: file.descriptor)
    var archive = NumPyArchive(options)
    while let member = try reader.next() {
      try checkRatio(declared: member.size, of: file.size)
      let name = String(decoding: member.name, as: UTF8.self)
      guard archive.names.insert(name).inserted else {
        throw RelabelError(.invalidInput, "the file has two arrays named '\(name)'")
      }
      do throws(RelabelError) {
        try archive.take(name, try ArrayStream(reader: reader, member: member), &spool)
      } catch {
        throw error.located(Location(dataset: name))
      }
    }
    return try archive.finish()
  }

  private init(_ options: InputOptions) { self.options = options }

  private mutating func take(
    _ name: String,
    _ stream: ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) {
    switch name {
    case "logits.npy": try takeDense(stream, .logit, &spool)
    case "probabilities.npy": try takeDense(stream, .probability, &spool)
    case "class_index.npy": classIndex = try takeClassIndex(stream, &spool)
    case "score.npy": score = try takeScore(stream, &spool)
    case "keys.npy": keys = try NumPyKeys(stream, &spool)
    default:
      throw RelabelError(
        .invalidInput,
        "an .npz file holds logits or probabilities, or class_index and score, and keys; not this"
      )
    }
  }

  private mutating func takeDense(
    _ stream: ArrayStream,
    _ kind: ScoreKind,
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

  private mutating func takeClassIndex(
    _ stream: ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) -> Part {
    let classes = options.sourceClasses
    return try takeSparse(stream, &spool, needsFloat: false) {
      header,
      bytes,
      shape throws(RelabelError) in
      try SparseMap.checkIDs(
        as: header.scalar.typeName,
        held: header.scalar.classesHeld,
        classes: classes
      )
      var values = NumPyValues.classIDs(header.scalar, bytes, shape.entries)
      if header.isFortran {
        values = NumPyValues.fromFortran(values, shape: [shape.height, shape.width, shape.topK])
      }
      if let fault = values.firstIndex(of: nil) {
        throw RelabelError(
          .invalidInput,
          "a class id is not a whole number from 0 to \(UInt32.max)",
          at: Location(cell: Self.cell(fault, shape))
        )
      }
      return values.map { $0 ?? 0 }
    }
  }

  private mutating func takeScore(
    _ stream: ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) -> Part {
    try takeSparse(stream, &spool, needsFloat: true) {
      header,
      bytes,
      shape throws(RelabelError) in
      var values = NumPyValues.floats(header.scalar, bytes, shape.entries)
      if header.isFortran {
        values = NumPyValues.fromFortran(values, shape: [shape.height, shape.width, shape.topK])
      }
      if header.scalar == .float64, let fault = values.firstIndex(where: { $0.isInfinite }) {
        throw RelabelError(
          .invalidInput,
          "the score is infinite or too large for float32",
          at: Location(cell: Self.cell(fault, shape))
        )
      }
      return values
    }
  }

  private mutating func takeSparse<Value: BitwiseCopyable>(
    _ stream: ArrayStream,
    _ spool: inout Spool,
    needsFloat: Bool,
    _ decode: (NumPyHeader, UnsafeRawBufferPointer, MapShape) throws(RelabelError) -> [Value]
  ) throws(RelabelError) -> Part {
    let turn = try AxisTurn(stream.header(), options.axes, [.y, .x, .k])
    let header = turn.header
    guard needsFloat ? header.scalar.isFloat : header.scalar.isNumber else {
      throw RelabelError(
        .invalidInput,
        needsFloat ? "scores are of float16, float32 or float64" : "class ids are numbers"
      )
    }
    let (rows, shape) = try Self.sparseShape(header)
    guard let values = checkedProduct(rows, shape.entries) else { throw Self.overflow }
    let (file, offset) = try spool.reserve(values: values)
    for row in 0..<rows {
      let bytes = turn.turned(try stream.read(turn.rowBytes))
      do throws(RelabelError) {
        let values = try bytes.withUnsafeBufferPointer { (buffer) throws(RelabelError) in
          try decode(header, UnsafeRawBufferPointer(buffer), shape)
        }
        try file.write(values, at: offset + row * shape.entries * 4)
      } catch {
        try note(error, row)
      }
    }
    try stream.finish()
    return Part(header: header, file: file, offset: offset)
  }

  /// Keeps the first fault of a row, so that the other rows of the file stay usable.
  private mutating func note(_ error: RelabelError, _ row: Int) throws(RelabelError) {
    if error.code == .io || error.code == .internalFault { throw error }
    if faults[row] == nil { faults[row] = error }
  }

  static func sparseShape(
    _ header: NumPyHeader
  ) throws(RelabelError) -> (rows: Int, shape: MapShape) {
    guard header.shape.count == 3 || header.shape.count == 4 else {
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(header.shape); label maps are [H, W, k] or [N, H, W, k], or"
          + " --axes says what the axes are"
      )
    }
    let rows = header.shape.count == 4 ? header.shape[0] : 1
    let axes = Array(header.shape.suffix(3))
    guard rows > 0 else { throw RelabelError(.invalidInput, "the array holds no map") }
    if let fault = Limits.fault(height: axes[0], width: axes[1], topK: axes[2]) {
      throw RelabelError(.invalidInput, "\(fault); label maps are [H, W, k] or [N, H, W, k]")
    }
    guard !header.isFortran || rows == 1 else {
      throw RelabelError(
        .invalidInput,
        "a batch in Fortran order is not read; save it with numpy.ascontiguousarray"
      )
    }
    return (rows, MapShape(height: axes[0], width: axes[1], topK: axes[2]))
  }

  private static func cell(_ entry: Int, _ shape: MapShape) -> Location.Cell {
    let cell = entry / shape.topK
    return Location.Cell(y: cell / shape.width, x: cell % shape.width, rank: entry % shape.topK)
  }

  private static var overflow: RelabelError {
    RelabelError(.invalidInput, "the array's shape overflows")
  }
}
