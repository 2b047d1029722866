import Relabel
import RelabelVerification

/// A shard of the source with what its survey found.
struct SurveyedShard {
  let source: RecoverySource.Shard
  /// What the shard will be called.
  let output: ShardFileName
  let survey: ShardSurvey

  /// Says why the shard is not certain to be right, though its checksums are.
  ///
  /// - Throws: `.io` when the file can't be opened.
  func doubt() throws(RelabelError) -> String? {
    let isUncompressed = !survey.facts.isCompressed
    guard let entry = source.entry else {
      guard isUncompressed else { return nil }
      return "nothing says what bytes '\(source.name)' had, "
        + "and fletcher32 alone does not see all damage (spec, section 15.2)"
    }
    if try isListedFile(entry) { return nil }
    let what =
      if isUncompressed {
        "and fletcher32 alone does not see all damage (spec, section 15.2)"
      } else if survey.faults.isEmpty {
        "though no damage was found in it"
      } else {
        "and only checksums of its own vouch for what is saved of it"
      }
    return "'\(source.name)' is not the file that index.json lists, \(what)"
  }

  private func isListedFile(_ entry: DatasetIndex.Shard) throws(RelabelError) -> Bool {
    guard try Folder.fileBytes(source.path) == entry.bytes else { return false }
    // A disk that can't give every byte has not given the listed ones.
    return (try? Digest.of(file: source.path).hex) == entry.sha256
  }
}

/// The shards that belong together (spec, section 11.7), out of all that could be read.
struct ShardFamily {
  private(set) var members: [SurveyedShard] = []
  /// The others, with reasons.
  private(set) var strangers: [(shard: SurveyedShard, reason: String)] = []
  /// What the members say; nil when there are none.
  var facts: ShardFacts? { members.first?.survey.facts }

  /// - Parameters:
  ///   - shards: those that could be read.
  ///   - index: the sound index, if there is one.
  init(_ shards: [SurveyedShard], index: DatasetIndex?) {
    var candidates: [SurveyedShard] = []
    for shard in shards {
      let differences = index.map { Self.differences(shard, $0) } ?? []
      if differences.isEmpty {
        candidates.append(shard)
      } else {
        let names = differences.map(\.name).joined(separator: ", ")
        strangers.append((shard, "it is not what index.json lists: \(names) differ"))
      }
    }
    guard let likeMost = Self.mostCommon(candidates) else { return }
    for shard in candidates {
      let differences = shard.survey.facts.shared.differences(from: likeMost.survey.facts.shared)
      if differences.isEmpty {
        members.append(shard)
      } else {
        let names = differences.map(\.name).joined(separator: ", ")
        strangers.append((shard, "it differs from '\(likeMost.source.name)' in \(names)"))
      }
    }
  }

  /// What a shard says otherwise than the index, the name of the writer aside; nor does a damaged file keep its
  /// size.
  private static func differences(
    _ shard: SurveyedShard,
    _ index: DatasetIndex
  ) -> [Statements.Difference] {
    guard let entry = shard.source.entry else { return [] }
    return shard.survey.facts.shared.differences(from: index.statements(of: entry))
      .filter { $0.name != "writer" }
  }

  /// The first of the shards that, taken together, hold most images alike.
  private static func mostCommon(_ shards: [SurveyedShard]) -> SurveyedShard? {
    var rows: [Statements: Int] = [:]
    for shard in shards { rows[shard.survey.facts.shared, default: 0] += shard.survey.facts.rows }
    let most = rows.values.max()
    return shards.first { rows[$0.survey.facts.shared] == most }
  }
}
