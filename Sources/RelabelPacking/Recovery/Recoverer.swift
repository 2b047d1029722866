public import Relabel
import RelabelVerification

/// Saves every readable image of a damaged dataset into a new one.
public struct Recoverer: Sendable {
  private let options: RecoverOptions
  private let progress: @Sendable (RecoveryProgress) -> Void

  /// Makes a recoverer.
  ///
  /// - Parameters:
  ///   - options: what to do.
  ///   - progress: called now and then, from the calling thread.
  public init(
    _ options: RecoverOptions,
    progress: @escaping @Sendable (RecoveryProgress) -> Void = { _ in }
  ) {
    self.options = options
    self.progress = progress
  }

  /// Saves what can be saved; `index.json` appears last.
  ///
  /// Every shard is read twice: once to see which rows are sound, since the build id and the choice
  /// between images with the same key depend on all of them, and once to copy those. A run that dies
  /// leaves no index; the same run again gives the bytes of an undisturbed run.
  /// - Throws: `.usage`, `.notFound`, `.unsupported`, `.io` or `.internalFault`; damage is not an error.
  public func run() throws(RelabelError) -> RecoverySummary {
    try options.validate()
    let listing = try options.imageList.map { lines throws(RelabelError) in try SourceListing(lines)
    }
    let source = try RecoverySource(options.source)
    let base = source.outputNames[0].base
    let folder = try OutputFolder.claim(options.output, name: base)
    if !options.overwrites { try folder.refuseFinishedDataset() }

    var findings = Findings(doubts: source.doubts)
    let surveyed = try survey(source, &findings)
    let family = ShardFamily(surveyed, index: source.index)
    for (shard, reason) in family.strangers { findings.lose(shard, because: reason) }
    guard let facts = family.facts else { return findings.summary(source) }

    var choice = RowChoice(listing, options.exclusions, facts, losses: findings.losses)
    var chosen: [ChosenRows] = []
    for shard in family.members {
      try listing?.check(shard.survey)
      chosen.append(choice.choose(shard))
    }
    chosen = choice.loseStrangers(chosen)
    findings.losses = choice.losses
    findings.note(choice.excluded, of: options.exclusions, known: source.index?.leftOut ?? [])
    if let marks = options.exclusions, findings.exclusions.unmatched == marks.excludedKeys {
      throw .noExclusionMatches(marks.excludedKeys[0])
    }
    findings.doubts += choice.doubts
    let plan = try RecoveryPlan(facts, chosen)
    guard !plan.shards.isEmpty else { return findings.summary(source) }
    try folder.prepare(buildID: plan.buildID, overwrites: options.overwrites)
    let shards = try write(plan, folder)
    let index = try publish(plan, shards, source, findings, folder)
    return findings.summary(source, plan, index)
  }

  /// Reads every shard that can be read; what can't is lost by name.
  private func survey(
    _ source: RecoverySource,
    _ findings: inout Findings
  ) throws(RelabelError) -> [SurveyedShard] {
    var surveyed: [SurveyedShard] = []
    for (shard, output) in zip(source.shards, source.outputNames) {
      var fault = shard.fault
      if fault == nil {
        switch try ShardSurvey.of(shard.path, options, progress: report) {
        // Where the shard lay must not show in the new dataset (spec, section 3.10).
        case .failure(let error): fault = error.message.replacing(shard.path, with: shard.name)
        case .success(let survey):
          let found = SurveyedShard(source: shard, output: output, survey: survey)
          findings.doubts += [try found.doubt()].compactMap(\.self)
          findings.loseRowsBeyondEnd(of: found)
          surveyed.append(found)
        }
      }
      if let fault {
        findings.losses.add((shard.entry?.rows).map { 0..<$0 }, of: shard.name, because: fault)
      }
    }
    return surveyed
  }

  private func write(
    _ plan: RecoveryPlan,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> [DatasetIndex.Shard] {
    var shards: [DatasetIndex.Shard] = []
    for chosen in plan.shards {
      let build = RecoveredShard(chosen, plan, options)
      shards.append(try build.write(in: folder, progress: report))
    }
    return shards
  }

  /// The limit of entries in `index.json`: more entries take much memory and help no reader.
  private static let mostLeftOut = 200_000

  /// Writes `index.json`.
  ///
  /// Equal losses of a shard are one entry where entries for each image would be too many, or the index
  /// longer than readers take.
  private func publish(
    _ plan: RecoveryPlan,
    _ shards: [DatasetIndex.Shard],
    _ source: RecoverySource,
    _ findings: Findings,
    _ folder: borrowing OutputFolder
  ) throws(RelabelError) -> DatasetIndex {
    let known = (source.index?.leftOut ?? []) + findings.excluded
    let (losses, doubts) = (findings.ordered(source), findings.doubts)
    let areFew = losses.reduce(0) { $0 + ($1.count ?? 1) } <= Self.mostLeftOut
    let entries = known + (areFew ? losses.flatMap(\.leftOut) : losses.map(\.whole))
    var index = try plan.index(shards, leftOut: entries, doubts, original: source.index)
    var bytes = try index.encoded()
    if bytes.count > DatasetIndex.maximumBytes {
      let whole = known + losses.map(\.whole)
      index = try plan.index(shards, leftOut: whole, doubts, original: source.index)
      bytes = try index.encoded()
    }
    try PublishedFile.write(bytes, to: folder.path(of: DatasetIndex.fileName))
    return index
  }

  private func report(_ rows: Int) { progress(RecoveryProgress(rows: rows)) }
}

/// What is known of losses and doubts while a recovery runs.
private struct Findings {
  var losses = LossList()
  var doubts: [String]
  /// Rows that people excluded, and what came of their marks.
  private(set) var excluded: [DatasetIndex.LeftOut] = []
  private(set) var exclusions = Exclusions(nil, [])

  /// - Parameter doubts: those of the source.
  init(doubts: [String]) { self.doubts = doubts }

  /// Notes what people excluded.
  mutating func note(
    _ excluded: [DatasetIndex.LeftOut],
    of marks: ReviewMarks?,
    known: [DatasetIndex.LeftOut]
  ) {
    self.excluded = excluded
    exclusions = Exclusions(marks, excluded, earlier: known)
  }

  /// Loses all images of a shard that can be read but does not belong to the dataset.
  mutating func lose(_ shard: SurveyedShard, because reason: String) {
    for row in 0..<shard.survey.facts.rows {
      losses.add(shard.survey.image(row), of: shard.source.name, because: reason)
    }
  }

  /// Loses the rows that the index lists and the shard does not have.
  mutating func loseRowsBeyondEnd(of shard: SurveyedShard) {
    let rows = shard.survey.facts.rows
    guard let listed = shard.source.entry?.rows, listed > rows else { return }
    losses.add(rows..<listed, of: shard.source.name, because: "the shard ends before them")
  }

  func ordered(_ source: RecoverySource) -> [Loss] {
    losses.ordered(by: source.shards.map(\.name))
  }

  func summary(
    _ source: RecoverySource,
    _ plan: RecoveryPlan? = nil,
    _ index: DatasetIndex? = nil
  ) -> RecoverySummary {
    RecoverySummary(
      index: index,
      recoveredFrom: plan?.facts.buildID,
      losses: ordered(source),
      unknownValues: plan?.unknownValues ?? [],
      doubts: doubts,
      notes: source.notes,
      exclusions: exclusions
    )
  }
}
