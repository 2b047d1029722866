internal import Relabel

/// Checks that the chunks of one dataset are there, sound and padded (rules C001, C007–C009, V008), and what
/// optional ones hold (V003, V007, V019–V021).
struct ColumnCheck {
  let name: String
  let column: StoredColumn

  init(_ name: String, _ column: StoredColumn) {
    self.name = name
    self.column = column
  }

  /// All chunks of a dataset of optional values in turn, in a shard of so many classes.
  func check(_ header: ShardHeader) -> Tally {
    var tally = Tally()
    for chunk in 0..<column.chunks {
      guard let bytes = bytes(ofChunk: chunk, &tally) else { continue }
      if !Layout.mayBeUnknown.contains(name) {
        checkWritten(bytes, firstRow: chunk * column.rowsPerChunk, &tally)
      }
      checkValues(bytes, firstRow: chunk * column.rowsPerChunk, header, &tally)
    }
    return tally
  }

  private func checkWritten(_ bytes: ArraySlice<UInt8>, firstRow: Int, _ tally: inout Tally) {
    let fill = Layout.fillValue(column.description.type)
    // The long rows of factors have single bytes, and next to never one of them.
    if fill.count == 1, !bytes.contains(fill[0]) { return }
    checkFinite(bytes, firstRow: firstRow, &tally)
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: fill.count)
    where bytes[start..<start + fill.count] == fill[...] {
      let row = firstRow + (start - bytes.startIndex) / column.rowBytes
      let place = Location(dataset: name, row: row)
      tally.add(Violation(.v007, "a value of the row was never written", at: place))
    }
  }

  private func checkValues(
    _ bytes: ArraySlice<UInt8>,
    firstRow: Int,
    _ header: ShardHeader,
    _ tally: inout Tally
  ) {
    let starts = stride(from: bytes.startIndex, to: bytes.endIndex, by: column.rowBytes)
    for (row, start) in starts.enumerated() {
      if name == Layout.classFactor { return }
      let value = bytes[start..<start + column.rowBytes]
      // What is not written, or not finite, has been reported.
      let found = OptionalValues.fault(
        value,
        of: name,
        numClasses: header.numClasses,
        viewSize: header.views?.size
      )
      guard let fault = found, Layout.mayBeUnknown.contains(name) || isWrittenAndFinite(value)
      else { continue }
      let place = Location(dataset: name, row: firstRow + row)
      tally.add(Violation(fault.rule, fault.reason, at: place))
    }
  }

  private func isWrittenAndFinite(_ value: ArraySlice<UInt8>) -> Bool {
    var tally = Tally()
    checkWritten(value, firstRow: 0, &tally)
    return tally.isEmpty
  }

  private func checkFinite(_ bytes: ArraySlice<UInt8>, firstRow: Int, _ tally: inout Tally) {
    let type = column.description.type
    guard type == .float32 || type == .float64 else { return }
    let fill = Layout.fillValue(type)
    // All exponent bits set: an infinity or NaN. The fill has a rule of its own.
    let exponent: UInt8 = type == .float32 ? 0x80 : 0xF0
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: fill.count) {
      let value = bytes[start..<start + fill.count]
      let top = start + fill.count - 1
      guard value[top] & 0x7F == 0x7F, value[top - 1] & exponent == exponent, value != fill[...]
      else { continue }
      let row = firstRow + (start - bytes.startIndex) / column.rowBytes
      tally.add(Violation(.v003, "a value is not finite", at: Location(dataset: name, row: row)))
    }
  }

  /// The decoded bytes of a chunk's rows, without padding, or nil after a report.
  func bytes(ofChunk chunk: Int, _ tally: inout Tally) -> ArraySlice<UInt8>? {
    let first = chunk * column.rowsPerChunk
    let place = Location(dataset: name, row: first)
    let result: Result<[UInt8], ChunkFault>
    do {
      result = try column.chunk(chunk)
    } catch {
      tally.add(Violation(.c001, "the chunk can't be read: \(error)", at: place))
      return nil
    }
    switch result {
    case .failure(let fault):
      tally.add(Violation(fault.rule, "\(fault)", at: place))
      return nil
    case .success(let bytes):
      let used = min(column.rowsPerChunk, column.rows - first) * column.rowBytes
      if used < bytes.count { checkPadding(bytes[used...], firstRow: column.rows, &tally) }
      return bytes[..<used]
    }
  }

  private func checkPadding(_ padding: ArraySlice<UInt8>, firstRow: Int, _ tally: inout Tally) {
    let fill = Layout.fillValue(column.description.type)
    for (offset, byte) in padding.enumerated() where byte != fill[offset % fill.count] {
      let row = firstRow + offset / column.rowBytes
      tally.add(
        Violation(
          .v008,
          "a padding row of the last chunk holds something else than the fill value",
          at: Location(dataset: name, row: row)
        )
      )
      return
    }
  }
}
