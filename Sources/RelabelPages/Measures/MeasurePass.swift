package import Relabel
internal import RelabelVerification

/// One pass over the maps of a dataset that measures each of them, in the order of positions.
///
/// Memory holds the measures of a few thousand images at a time, and 4 bytes for each row of one shard for its source
/// labels; the results are the same for any number of jobs.
package struct MeasurePass: Sendable {
  private let source: any LabelMapSource
  private let jobs: Int
  /// What measures the maps; its counts are complete when the pass is.
  package let measurer: Measurer

  /// Images that are measured before their measures are handed out.
  private static let run = 4096
  /// Cells of such images: 32 MB of sums.
  private static let runCells = 8 << 20

  /// Makes a pass over a dataset.
  ///
  /// - Throws: as `LabelMapSource.header`, and `.usage` for classes that are too many to pool.
  package init(_ source: any LabelMapSource, jobs: Int) throws(RelabelError) {
    self.source = source
    self.jobs = jobs
    do {
      measurer = try Measurer(source.header)
    } catch {
      throw error.located(Location(file: source.path))
    }
  }

  /// Measures all images.
  ///
  /// - Parameter body: is given each position, ascending, and what its map says.
  /// - Throws: the first failure, naming file and image, and what `body` throws.
  /// - Complexity: reads every chunk of maps once, and source labels, or keys where folders are ids of classes.
  package func run(
    _ body: (_ position: Int, _ measures: ImageMeasures) throws(RelabelError) -> Void
  ) throws(RelabelError) {
    var first = 0
    for shard in source.rowsOfShards.indices {
      let reader = try source.reader(ofShard: shard)
      let labels = try Self.labels(of: reader)
      let perChunk = max(reader.header.imagesPerChunk, 1)
      // Sums of log_normalizer are read for a whole run.
      let most = min(Self.run, Self.runCells / reader.header.shape.cells)
      let run = max(most / perChunk, 1) * perChunk
      for start in stride(from: 0, to: reader.count, by: run) {
        let rows = Array(start..<min(start + run, reader.count))
        let normalizers = try LogNormalizers(reader, rows: start..<start + rows.count)
        let measured = try reader.results(at: rows, threads: jobs) {
          [measurer] (place, map) throws(RelabelError) in
          let label = labels.isEmpty ? nil : labels[start + place]
          var measures = try measurer.measure(map, label: label)
          measures.trueCellMissing = normalizers?.missing(of: map, row: place)
          return measures
        }
        for (row, measures) in zip(rows, measured) { try body(first + row, measures) }
      }
      first += reader.count
      source.letGo(ofShard: shard)
    }
  }

  /// The source label of each row of a shard, below 0 for none; empty where nothing gives labels.
  ///
  /// - Throws: what can't be read.
  package static func labels(of reader: ShardReader) throws(RelabelError) -> [Int32] {
    var unread = Tally()
    let labels = SourceLabels.read(reader.file, &unread)
    if let first = unread.entries.first?.first { throw first.error(file: reader.path) }
    return labels
  }
}

extension LabelMapSource {
  /// Closes a shard of a dataset until something is read of it again: each holds its class list and the places of its chunks.
  func letGo(ofShard shard: Int) { (self as? ShardedDataset)?.close(shard: shard) }
}
