import Relabel
import RelabelVerification

/// The rows of one shard that go into the new dataset.
struct ChosenRows {
  let shard: SurveyedShard
  var rows: [Int] = []
  /// Keys that the source listing gave back.
  var restoredKeys: [Int: String] = [:]
  /// Image indexes that the source listing gave back.
  var restoredIndexes: [Int: Int64] = [:]
  /// Rows of optional datasets whose value is not known any more.
  var unknown: [String: [Int]] = [:]

  /// The key that a chosen row will have.
  func key(_ row: Int) -> String { restoredKeys[row] ?? shard.survey.keys[row] ?? "" }

  /// The image index that a chosen row will have.
  func imageIndex(_ row: Int) -> Int64 { restoredIndexes[row] ?? shard.survey.imageIndexes[row] }
}

/// Decides row by row what is saved, shard after shard.
struct RowChoice {
  private let listing: SourceListing?
  private let exclusions: ReviewMarks?
  private let keyBytes: Int
  private var kept = KeptImages()
  private var names: [String] = []
  /// Shards that hold the same images, whether these are kept or lost.
  private var overlaps: [Overlap] = []
  /// The shard that a lost image was in, by the hash of its key.
  private var lost: [UInt64: Int] = [:]
  /// The shard that a batch of views is kept in.
  private var shardOfBatch: [ViewBatch: Int] = [:]

  private struct Overlap: Hashable {
    let one: Int
    let other: Int
  }

  private(set) var losses: LossList
  /// Rows that people excluded, as the index lists them.
  private(set) var excluded: [DatasetIndex.LeftOut] = []

  /// - Parameters:
  ///   - listing: restores what is lost of keys and image indexes.
  ///   - exclusions: what people marked to be left out.
  ///   - facts: what all shards share.
  ///   - losses: those known already.
  init(
    _ listing: SourceListing?,
    _ exclusions: ReviewMarks?,
    _ facts: ShardFacts,
    losses: LossList
  ) {
    (self.listing, self.exclusions) = (listing, exclusions)
    self.losses = losses
    keyBytes = Int(facts.shared["key_bytes"]?.integer ?? 0)
  }

  /// Chooses the rows of the next shard; of images with the same key or image index the first is kept.
  mutating func choose(_ shard: SurveyedShard) -> ChosenRows {
    let (survey, name) = (shard.survey, shard.source.name)
    var chosen = ChosenRows(shard: shard)
    var faults = survey.faults[...]
    names.append(name)
    for row in 0..<survey.facts.rows {
      let here = faults.prefix { $0.row == row }
      faults = faults.dropFirst(here.count)
      if exclude(survey.keys[row], survey.image(row)) { continue }
      if let fault = unrepaired(here.map(\.fault), row, &chosen) {
        losses.add(survey.image(row, cell: fault.cell), of: name, because: fault.reason)
        // The views of an image may lie in several shards.
        if survey.views.isEmpty { noteLost(survey.keys[row]) }
      } else if exclude(chosen.restoredKeys[row], survey.image(row)) {
        continue
      } else if let other = keep(row, &chosen) {
        let reason =
          "\(survey.views.isEmpty ? "an image" : "a view") of '\(names[other.shard])' has the same \(other.what) and is kept"
        losses.add(survey.image(row), of: name, because: reason)
        noteOverlap(with: other.shard)
      } else {
        chosen.rows.append(row)
        if let other = lost[KeyHash.of(chosen.key(row).utf8)] { noteOverlap(with: other) }
      }
    }
    loseSplitBatches(&chosen)
    loseMixed(&chosen)
    let rows = Set(chosen.rows)
    chosen.unknown = survey.unknown.mapValues { $0.filter(rows.contains) }.filter {
      !$0.value.isEmpty
    }
    return chosen
  }

  /// Leaves out a row whose key people marked; false for one that stays.
  private mutating func exclude(_ key: String?, _ image: Loss.Image) -> Bool {
    guard let key, let reason = exclusions?.reason(key) else { return false }
    excluded.append(DatasetIndex.LeftOut(key: key, imageIndex: image.imageIndex, reason: reason))
    return true
  }

  /// Loses views of a batch that an earlier shard has begun.
  private mutating func loseSplitBatches(_ chosen: inout ChosenRows) {
    let (survey, shard) = (chosen.shard.survey, names.count - 1)
    guard !survey.views.isEmpty else { return }
    var kept: [Int] = []
    for row in chosen.rows {
      guard let batch = survey.views[row].batch, let other = shardOfBatch[batch], other != shard
      else {
        if let batch = survey.views[row].batch { shardOfBatch[batch] = shard }
        kept.append(row)
        continue
      }
      let reason = "'\(names[other])' holds a part of its batch, and is kept"
      losses.add(survey.image(row), of: names[shard], because: reason)
    }
    chosen.rows = kept
  }

  private mutating func loseMixed(_ chosen: inout ChosenRows) {
    let mixed = MixedViews(chosen)
    chosen.rows = mixed.kept
    for (row, reason) in mixed.lost {
      losses.add(
        chosen.shard.survey.image(row),
        of: chosen.shard.source.name,
        because: reason
      )
    }
  }

  /// Loses views whose partner is no image of all shards; called once, when all are chosen.
  mutating func loseStrangers(_ shards: [ChosenRows]) -> [ChosenRows] {
    guard shards.contains(where: { !$0.shard.survey.views.isEmpty }) else { return shards }
    // What is lost the index lists, and readers find it there.
    let images = Set(shards.flatMap(\.shard.survey.imageIndexes))
    return shards.map { shard in
      var chosen = shard
      let survey = chosen.shard.survey
      let strange = chosen.rows.filter { row in
        survey.views[row].mixes.contains {
          $0.slot < 0 && $0.image >= 0 && !images.contains($0.image)
        }
      }
      for row in strange {
        let reason = "the image that it is mixed with is not in the dataset"
        losses.add(survey.image(row), of: chosen.shard.source.name, because: reason)
      }
      chosen.rows.removeAll(where: Set(strange).contains)
      loseMixed(&chosen)
      return chosen
    }
  }

  /// Keeps a row, or says what an earlier one shares with it.
  private mutating func keep(
    _ row: Int,
    _ chosen: inout ChosenRows
  ) -> (what: String, shard: Int)? {
    let (key, index, shard) = (chosen.key(row), chosen.imageIndex(row), names.count - 1)
    guard let view = chosen.shard.survey.views.isEmpty ? nil : chosen.shard.survey.views[row] else {
      return kept.keep(key, index, shard: shard)
    }
    return kept.keep(key, index, view: view.number, shard: shard)
  }

  private mutating func noteLost(_ key: String?) {
    guard let key else { return }
    if let other = kept.shard(ofKey: key) { noteOverlap(with: other) }
    lost[KeyHash.of(key.utf8)] = names.count - 1
  }

  private mutating func noteOverlap(with other: Int) {
    let overlap = Overlap(one: other, other: names.count - 1)
    if overlap.one != overlap.other, !overlaps.contains(overlap) { overlaps.append(overlap) }
  }

  /// Why the choice between images may be wrong: of shards with the same images one may be of another build, whose
  /// id need not differ (spec, section 9.5).
  var doubts: [String] {
    overlaps.map {
      "'\(names[$0.one])' and '\(names[$0.other])' hold the same images: one may be of another build, and nothing "
        + "says which is right"
    }
  }

  /// The first fault of a row that the listing can't repair, or nil.
  private func unrepaired(
    _ faults: [RowFault],
    _ row: Int,
    _ chosen: inout ChosenRows
  ) -> RowFault? {
    faults.first { fault in
      switch fault.part {
      case .map, .value: return true
      case .key:
        let index = chosen.shard.survey.imageIndexes[row]
        guard let key = listing?.key(ofImageIndex: index), key.utf8.count <= keyBytes else {
          return true
        }
        chosen.restoredKeys[row] = key
      case .imageIndex:
        guard let key = chosen.shard.survey.keys[row], let index = listing?.imageIndex(ofKey: key)
        else { return true }
        chosen.restoredIndexes[row] = index
      }
      return false
    }
  }
}
