/// Reads what factors say of classes (spec, section 4.11).
extension ShardReader {
  /// The factors of a row whose chunk was read; they stay in `room`.
  ///
  /// - Parameters:
  ///   - row: the row.
  ///   - numbers: the chunk of `class_factor`.
  ///   - place: the row's place in it.
  ///   - room: memory of this thread.
  /// - Returns: the factors, valid until `room` reads another chunk.
  /// - Throws: `.corrupt` for numbers that were never written, and for a scale that is no power of two.
  func factors(
    ofRow row: Int,
    _ numbers: UnsafeRawBufferPointer,
    place: Int,
    _ room: ReadingRoom
  ) throws(RelabelError) -> FactorTable {
    guard let column = file.classFactor, let scales = file.factorScale else {
      throw RelabelError(.internalFault, "a shard of factors has none", at: Location(file: path))
    }
    let chunk = row / scales.rowsPerChunk
    let bytes: UnsafeRawBufferPointer
    if let held = room.scales, held.file === file, held.chunk == chunk {
      bytes = held.bytes
    } else {
      room.scales = nil
      bytes = try file.bytes(of: scales, named: Layout.factorScale, chunk, in: room.scaleRoom)
      room.scales = (file, chunk, bytes)
    }
    let own = UnsafeRawBufferPointer(
      rebasing: numbers[place * column.rowBytes..<(place + 1) * column.rowBytes]
    )
    let scale = UnsafeRawBufferPointer(
      rebasing: bytes[
        (row % scales.rowsPerChunk) * scales.rowBytes..<(row % scales.rowsPerChunk + 1)
          * scales.rowBytes
      ]
    )
    guard let numbers = own.baseAddress, let values = scale.baseAddress else {
      throw RelabelError(.internalFault, "a row of no factors", at: Location(file: path, row: row))
    }
    let table = FactorTable(
      numClasses: header.numClasses,
      numbers: numbers.assumingMemoryBound(to: UInt8.self),
      scale: values.assumingMemoryBound(to: Float.self)
    )
    try check(table, row: row, count: own.count)
    return table
  }

  private func check(_ table: FactorTable, row: Int, count: Int) throws(RelabelError) {
    var isWritten: UInt8 = 1
    for place in 0..<count { isWritten &= table.numbers[place] == .max ? 0 : 1 }
    if isWritten == 0 {
      throw RelabelError(
        .v007,
        "a number of a factor was never written",
        at: Location(file: path, dataset: Layout.classFactor, row: row)
      )
    }
    for factor in 0..<header.shape.topK where !Layout.isFactorScale(table.scale[factor]) {
      let scale = table.scale[factor]
      let (rule, message): (Rule, String) =
        if scale.isNaN {
          (.v007, "the scale of a factor was never written")
        } else if scale.isInfinite {
          (.v003, "the scale of a factor is not finite")
        } else {
          (.v032, "the scale \(Double(scale)) is no power of two and not 0")
        }
      let place = Location(file: path, dataset: Layout.factorScale, row: row)
      throw RelabelError(rule, message, at: place)
    }
  }
}
