package import Relabel

/// The class that the source gives to each image of a shard: `source_label` (spec, section 4.5), or
/// else the image's folder, where that is the id of a class.
package enum SourceLabels {
  /// No label.
  package static let none: Int32 = -1

  /// The label of each row, −1 for none; empty where nothing gives labels, or some can't be read.
  ///
  /// The check of that HDF5 dataset reports damage. What the disk does not give is reported here.
  package static func read(_ file: ShardFile, _ tally: inout Tally) -> [Int32] {
    if let column = file.optional.first(where: { $0.name == Layout.sourceLabel })?.column {
      return stored(column, &tally)
    }
    guard let classes = file.header.metadata.classes else { return [] }
    return ofFolders(file, classes, &tally)
  }

  private static func stored(_ column: StoredColumn, _ tally: inout Tally) -> [Int32] {
    var labels: [Int32] = []
    labels.reserveCapacity(column.rows)
    for chunk in 0..<column.chunks {
      guard let bytes = bytes(ofChunk: chunk, column, Layout.sourceLabel, labels.count, &tally)
      else { return [] }
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

  /// The decoded bytes of a chunk, or nil where it can't be read.
  private static func bytes(
    ofChunk chunk: Int,
    _ column: StoredColumn,
    _ dataset: String,
    _ row: Int,
    _ tally: inout Tally
  ) -> [UInt8]? {
    do {
      guard case .success(let bytes) = try column.chunk(chunk) else { return nil }
      return bytes
    } catch {
      let place = Location(dataset: dataset, row: row)
      tally.add(Violation(.c001, "the chunk can't be read: \(error)", at: place))
      return nil
    }
  }

  private static func ofFolders(
    _ file: ShardFile,
    _ classes: ClassTable,
    _ tally: inout Tally
  ) -> [Int32] {
    let ids = classes.indexes
    let (column, width) = (file.imageKey, file.header.keyBytes)
    var labels: [Int32] = []
    labels.reserveCapacity(column.rows)
    for chunk in 0..<column.chunks {
      guard let bytes = bytes(ofChunk: chunk, column, Layout.imageKey, labels.count, &tally)
      else { return [] }
      let rows = min(column.rowsPerChunk, column.rows - labels.count)
      for row in 0..<rows {
        let start = bytes.startIndex + row * width
        let folder = ImageKey.folder(of: bytes[start..<start + width].unpadded)
        labels.append(folder.flatMap { ids[$0] } ?? none)
      }
    }
    return labels
  }
}
