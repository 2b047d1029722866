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
    let scale = try room.scales.row(row, of: scales, named: Layout.factorScale, file)
    let own = UnsafeRawBufferPointer(
      rebasing: numbers[place * column.rowBytes..<(place + 1) * column.rowBytes]
    )
    guard let numbers = own.baseAddress, let values = scale.baseAddress else {
      throw RelabelError(.internalFault, "a row of no factors", at: Location(file: path, row: row))
    }
    let table = FactorTable(
      numClasses: header.numClasses,
      numbers: numbers.assumingMemoryBound(to: UInt8.self),
      scale: values.assumingMemoryBound(to: Float.self)
    )
    guard let fault = table.fault(count: header.shape.topK) else { return table }
    let place = Location(file: path, dataset: fault.dataset, row: row)
    throw RelabelError(fault.rule, fault.message, at: place)
  }
}
