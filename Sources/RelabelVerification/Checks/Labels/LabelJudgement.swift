internal import Relabel

/// Judges the maps of a shard, or of all shards of a dataset, as a whole (rules V013–V018, M011).
///
/// The helper measures each shard, and the judgement is made once over all of them: a class that one
/// shard lacks may be in the next. Parts say nothing, so rules about the whole need every map to be
/// read and sound.
struct LabelJudgement {
  private var paths: [String] = []
  private var digests: [[UInt64]] = []
  private var statistics: [LabelStatistics] = []
  private var rows = 0
  private var areShuffled = true

  mutating func add(_ shard: ShardFacts, path: String) {
    guard let measured = shard.statistics else { return }
    paths.append(path)
    digests.append(shard.mapDigests.compact)
    statistics.append(measured)
    rows += shard.rows
    areShuffled = areShuffled && shard.isShuffled
  }

  /// All shards together, nil where nothing was measured.
  var total: LabelStatistics? {
    statistics.dropFirst().reduce(into: statistics.first) { $0?.merge($1) }
  }

  /// What is suspicious.
  ///
  /// - Parameter subject: the file that findings about all shards are about.
  /// - Returns: warnings.
  func findings(about subject: String) -> [Finding] {
    guard let total else { return [] }
    var report = Report()
    for repeated in MapRepeat.find(in: digests) {
      var tally = Tally()
      tally.add(repeated.entry)
      report.findings += tally.findings(in: paths[repeated.shard])
    }
    var tally = Tally()
    if total.images == rows {
      // Of exchanged planes it says nothing how the ids compare with 0.
      let isExchanged = total.counts.neighbours.warning != nil
      for violation in total.warnings where !(isExchanged && violation.rule == .v023) {
        tally.add(violation)
      }
      if areShuffled {
        for (_, message) in LabelStatistics.drift(statistics).map({ (paths[$0.shard], $0.message) })
        {
          tally.add(Violation(.m011, message))
        }
      }
    }
    // Exchanged planes break other rules, too, and this hint is of use then.
    if total.counts.neighbours.maps == rows, let violation = total.counts.neighbours.warning {
      tally.add(violation)
    }
    return report.findings + tally.findings(in: subject)
  }
}
