import Relabel
import RelabelVerification

/// One new shard: copied by a helper process, verified and published here.
struct RecoveredShard {
  private let chosen: ChosenRows
  private let plan: RecoveryPlan
  private let options: RecoverOptions

  init(_ chosen: ChosenRows, _ plan: RecoveryPlan, _ options: RecoverOptions) {
    self.chosen = chosen
    self.plan = plan
    self.options = options
  }

  /// Writes the shard.
  ///
  /// - Parameters:
  ///   - folder: the folder of the new dataset.
  ///   - progress: is told how many rows were written.
  /// - Returns: its entry of the index.
  /// - Throws: `.io` for a full disk or a source that changes, `.internalFault` when the copy is not
  ///   what it should be.
  func write(
    in folder: borrowing OutputFolder,
    progress: (Int) -> Void
  ) throws(RelabelError) -> DatasetIndex.Shard {
    let name = "\(chosen.shard.output)"
    let path = folder.path(of: name)
    var published = PublishedFile(path)
    let temporary = published.temporaryPath
    let order = folder.path(of: ".\(name).order\(PublishedFile.temporarySuffix)")
    do {
      try copy(to: temporary, order: order, progress)
    } catch {
      // The copy is written and published like any shard, under the temporary name of this one.
      for scrap in [order, PublishedFile(temporary).temporaryPath] { try? Folder.remove(scrap) }
      // People know the file by its name, not by the temporary one.
      var named = error.located(Location(file: chosen.shard.source.path))
      if [temporary, order].contains(named.location.file) { named.location.file = path }
      throw named
    }
    let facts = try verified(temporary)
    try published.publish()
    return DatasetIndex.Shard(
      name: name,
      digest: try Digest.of(file: path),
      metadataSHA256: facts.metadataSHA256,
      rows: facts.rows,
      scoreRange: facts.scoreRange,
      largestError: facts.largestError
    )
  }

  private func copy(
    to target: String,
    order path: String,
    _ progress: (Int) -> Void
  ) throws(RelabelError) {
    let order = CopyOrder(
      path: chosen.shard.source.path,
      target: target,
      buildID: plan.buildID,
      writer: RecoveryPlan.writer,
      optional: plan.optional,
      rowOrder: plan.rowOrder,
      rows: chosen.rows,
      keys: chosen.restoredKeys,
      imageIndexes: chosen.restoredIndexes,
      unknown: chosen.unknown.mapValues(Set.init),
      jobs: options.jobs
    )
    try PublishedFile.write(try order.json.canonical(), to: path)
    let request = JSON.object(["order": .string(path)])
    let failure = try ShardTask.copy.run(
      request,
      on: order.path,
      jobs: options.jobs,
      options.isolation
    ) { fact in progress(Int(fact["copied"]?.integer ?? 0)) }
    if let failure { throw failure }
    try Folder.remove(path)
  }

  /// What the copy holds, after all rules and the rows were checked: whoever wrote it is not trusted.
  private func verified(_ path: String) throws(RelabelError) -> ShardFacts {
    var request = ShardRequest(path)
    request.jobs = options.jobs
    let outcome = try options.isolation.check(request)
    let finding = outcome.tally.findings(in: path).first { $0.severity == .error }
    guard let facts = outcome.facts, finding == nil else {
      throw fault("breaks rule \(finding?.rule.id ?? ""): \(finding?.message ?? "")", path)
    }
    guard
      (facts.views?.keyHashes ?? facts.keyHashes)
        == chosen.rows.map({ KeyHash.of(chosen.key($0).utf8) }),
      facts.imageIndexes == chosen.rows.map(chosen.imageIndex), facts.buildID == plan.buildID
    else { throw fault("does not hold the rows it should", path) }
    return facts
  }

  private func fault(_ what: String, _ path: String) -> RelabelError {
    RelabelError(.internalFault, "the copy \(what)", at: Location(file: path))
  }
}
