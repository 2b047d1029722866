internal import Relabel

/// Checks the labels of a shard map by map (rules V001–V007, V011, V012), and measures what
/// `LabelJudgement` needs for V013–V018.
struct LabelCheck: Sendable {
  private let file: ShardFile

  struct Outcome: Sendable {
    var tally = Tally()
    var scoreRange: ClosedRange<Float>?
    var statistics: LabelStatistics
    /// The `MapDigest` of each row; 0 where the map was not read.
    var mapDigests: [UInt64]
  }

  init(_ file: ShardFile) { self.file = file }

  /// Checks the maps by several threads; the outcome is the same at any number of them.
  ///
  /// - Parameters:
  ///   - jobs: threads.
  ///   - chunks: the chunks to check in ascending order, nil for all.
  /// - Returns: the findings in row order, and what the maps look like.
  func check(jobs: Int, chunks: [Int]? = nil) -> Outcome {
    MapForm(file.header).isNarrow
      ? check(as: Int16.self, jobs, chunks) : check(as: Int32.self, jobs, chunks)
  }

  private func check<Lane: FixedWidthInteger & SignedInteger & Sendable>(
    as lane: Lane.Type,
    _ jobs: Int,
    _ subset: [Int]?
  ) -> Outcome {
    var unread = Tally()
    let plan = LabelScanPlan<Lane>(file.header, labels: SourceLabels.read(file, &unread))
    let chunks = ChunkCheck(file, plan)
    var outcome = Outcome(
      statistics: LabelStatistics(LabelCounts(file.header)),
      mapDigests: [UInt64](repeating: 0, count: file.rows)
    )
    outcome.tally.add(unread)
    let count = subset?.count ?? file.classIndex.chunks
    // Chunks in runs, so that results of a large shard don't pile up.
    let run = 1024
    for first in stride(from: 0, to: count, by: run) {
      let parts = Parallel.map(min(run, count - first), jobs: jobs) { place in
        chunks.check(subset?[first + place] ?? first + place)
      }
      for part in parts { part.add(to: &outcome) }
    }
    chunks.addCounts(to: &outcome.statistics.counts)
    return outcome
  }
}
