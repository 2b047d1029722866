import Relabel

extension SpooledArrays {
  /// Takes the class ids of maps that keep some.
  mutating func takeClassIndex(
    _ stream: any ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) {
    let classes = options.sourceClasses
    classIndex = try takeSparse(stream, &spool, needsFloat: false) {
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

  /// Takes the scores of maps that keep some classes.
  mutating func takeScore(
    _ stream: any ArrayStream,
    _ spool: inout Spool
  ) throws(RelabelError) {
    score = try takeSparse(stream, &spool, needsFloat: true) {
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
    _ stream: any ArrayStream,
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

  static var overflow: RelabelError {
    RelabelError(.invalidInput, "the array's shape overflows")
  }
}
