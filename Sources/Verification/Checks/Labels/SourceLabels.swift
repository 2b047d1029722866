internal import Relabel

/// The source labels of a shard (spec, section 4.5).
enum SourceLabels {
  /// The label of each row, −1 for none; empty where the shard has no labels or some can't be read,
  /// which the check of that HDF5 dataset reports.
  static func read(_ file: ShardFile) -> [Int32] {
    guard let column = file.optional.first(where: { $0.name == "source_label" })?.column else {
      return []
    }
    var labels: [Int32] = []
    labels.reserveCapacity(column.rows)
    for chunk in 0..<column.chunks {
      guard let bytes = try? column.chunk(chunk).get() else { return [] }
      bytes.withUnsafeBytes { raw in
        let rows = min(column.rowsPerChunk, column.rows - labels.count)
        for row in 0..<rows {
          let label = raw.loadUnaligned(fromByteOffset: row * 4, as: Int32.self)
          labels.append(Int32(littleEndian: label))
        }
      }
    }
    return labels
  }
}
