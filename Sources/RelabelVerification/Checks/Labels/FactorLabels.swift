internal import Relabel

/// What factors say of the classes of a chunk's rows.
struct FactorLabels {
  private let numClasses: Int
  private let numbers: ArraySlice<UInt8>
  private let scales: [Float]
  private let rowBytes: Int
  private let factors: Int

  /// Nil where a shard has no factors; what can't be read is reported by the check of its column.
  init?(_ file: ShardFile, chunk: Int, scales: [Float]) {
    guard let column = file.classFactor, !scales.isEmpty else { return nil }
    var elsewhere = Tally()
    let check = ColumnCheck(Layout.classFactor, column)
    guard let bytes = check.bytes(ofChunk: chunk, &elsewhere) else { return nil }
    (numbers, rowBytes, self.scales) = (bytes, column.rowBytes, scales)
    (numClasses, factors) = (file.header.numClasses, file.header.shape.topK)
  }

  /// Lends the factors of a row to `body`: the `place`th of its chunk, and the `row`th of its shard.
  ///
  /// Calls nothing where a scale is no number, which the check of its column reports.
  func withRow(_ place: Int, row: Int, _ body: (FactorTable) -> Void) {
    guard (place + 1) * rowBytes <= numbers.count, (row + 1) * factors <= scales.count,
      scales[row * factors..<(row + 1) * factors].allSatisfy(\.isFinite)
    else { return }
    numbers.withUnsafeBufferPointer { numbers in
      scales.withUnsafeBufferPointer { scales in
        guard let numbers = numbers.baseAddress, let scales = scales.baseAddress else { return }
        body(
          FactorTable(
            numClasses: numClasses,
            numbers: numbers + place * rowBytes,
            scale: scales + row * factors
          )
        )
      }
    }
  }

  /// The scales of all rows; empty where a shard has no factors.
  static func scales(_ file: ShardFile) -> [Float] {
    guard let column = file.factorScale else { return [] }
    var elsewhere = Tally()
    var scales: [Float] = []
    let check = ColumnCheck(Layout.factorScale, column)
    for chunk in 0..<column.chunks {
      guard let bytes = check.bytes(ofChunk: chunk, &elsewhere) else { return [] }
      bytes.withUnsafeBytes { raw in
        for offset in stride(from: 0, to: raw.count, by: 4) {
          let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
          scales.append(Float(bitPattern: UInt32(littleEndian: word)))
        }
      }
    }
    return scales
  }
}
