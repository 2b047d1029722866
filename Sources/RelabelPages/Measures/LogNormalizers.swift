internal import Relabel

/// The `log_normalizer` of some rows of a shard: what exact probabilities of logits need (spec, section 4.5).
struct LogNormalizers: Sendable {
  private let values: [Float]
  private let cells: Int

  /// Reads rows of a shard; nil where the shard does not have them.
  ///
  /// - Throws: what is wrong with a chunk.
  init?(_ reader: ShardReader, rows: Range<Int>) throws(RelabelError) {
    let optional = reader.file.optional
    guard let column = optional.first(where: { $0.name == Layout.logNormalizer })?.column else {
      return nil
    }
    let cells = reader.header.shape.cells
    var read: [Float] = []
    read.reserveCapacity(rows.count * cells)
    let perChunk = column.rowsPerChunk
    for chunk in rows.lowerBound / perChunk...(rows.upperBound - 1) / perChunk {
      let bytes = try reader.file.bytes(of: column, named: Layout.logNormalizer, chunk)
      let first = max(rows.lowerBound - chunk * perChunk, 0)
      let end = min(rows.upperBound - chunk * perChunk, perChunk)
      bytes.withUnsafeBytes { raw in
        for place in first * cells..<end * cells {
          let bits = raw.loadUnaligned(fromByteOffset: place * 4, as: UInt32.self)
          read.append(Float(bitPattern: UInt32(littleEndian: bits)))
        }
      }
    }
    (values, self.cells) = (read, cells)
  }

  /// The mean over the cells of a map of the probability of all classes that the cell does not store.
  ///
  /// - Parameters:
  ///   - map: the map.
  ///   - row: its row, counted from the first that was read.
  /// - Returns: the mean, from 0 to 1.
  func missing(of map: LabelMap, row: Int) -> Float {
    var sum: Float = 0
    for cell in 0..<cells {
      let normalizer = values[row * cells + cell]
      var stored: Float = 0
      for entry in cell * map.shape.topK..<(cell + 1) * map.shape.topK {
        stored += Mathematics.exp(map.score[entry] - normalizer)
      }
      sum += max(0, 1 - stored)
    }
    return sum / Float(cells)
  }
}
