internal import Relabel

/// One run over the shards of a path with the pictures at hand.
///
/// Shards are read by helper processes, one after the other; pictures are read by several threads.
struct PicturePass {
  private let path: String
  private let verifier: Verifier
  private var comparison: PictureComparison?
  private var orientation: OrientationCheck?
  private var choice: RecomputationChoice?
  private let recomputation: Recomputation?
  private var meaning: ShardMeaning?
  private var tally = Tally()

  /// Lists the pictures.
  ///
  /// - Throws: `.io` naming a folder that can't be listed.
  init(_ checks: PictureChecks, path: String, verifier: Verifier) throws(RelabelError) {
    self.path = path
    self.verifier = verifier
    if !checks.folders.isEmpty {
      comparison = PictureComparison(try PictureIndex(checks.folders), jobs: verifier.jobs)
    }
    orientation = checks.boxes.map(OrientationCheck.init)
    recomputation = checks.recomputation
    choice = recomputation.map { RecomputationChoice(count: $0.images) }
  }

  /// Looks at every shard of the report and adds what comes out to it.
  ///
  /// - Throws: `.io` when the system or the annotator refuses.
  mutating func check(_ report: inout Report) throws(RelabelError) {
    defer { report.findings += tally.findings(in: subject) }
    for shard in report.files where shard.kind == .shard {
      do throws(RelabelError) {
        if report.hasBrokenStructure(shard.path) {
          throw RelabelError(.corrupt, "its structure is broken")
        }
        try look(at: shard.path)
      } catch {
        report.omissions.append("\(shard.path): not compared with the pictures: \(error.message)")
      }
    }
    try finishComparison(&report)
    if let orientation, let meaning { orientation.finish(meaning, path, &tally, &report) }
    try recompute(&report)
  }

  private mutating func look(at shard: String) throws(RelabelError) {
    orientation?.beginShard()
    var rows: [Int] = []
    let meaning = try verifier.isolation.images(of: shard) { batch in
      comparison?.add(batch, &tally)
      for (offset, key) in batch.keys.enumerated() {
        let row = batch.firstRow + offset
        if orientation?.expects(key) == true { rows.append(row) }
        if comparison?.index.path(ofKey: key) != nil { choice?.add(key, row: row, of: shard) }
      }
    }
    self.meaning = self.meaning ?? meaning
    guard orientation != nil else { return }
    try verifier.isolation.maps(of: shard, meaning, rows) { map in
      orientation?.add(map, meaning)
    }
  }

  /// Reports pictures without an image, if all images of the dataset are known.
  private mutating func finishComparison(_ report: inout Report) throws(RelabelError) {
    guard var comparison else { return }
    // A shard alone says nothing of the images in other shards; nor does a shard that is missing.
    let index = try datasetIndex()
    let isWhole = index?.count == comparison.images
    if isWhole {
      for image in index?.leftOut ?? [] { comparison.index.excuse(image.key) }
      try comparison.reportUnmatched(&tally)
    }
    comparison.finish(path, comparesBothWays: isWhole, &report)
  }

  private mutating func recompute(_ report: inout Report) throws(RelabelError) {
    guard let recomputation, let choice, let comparison, let meaning else { return }
    guard !meaning.hasFactors else {
      report.omissions.append(
        "\(path): maps of factors were not compared with fresh ones: single cells of them are blurred; give the scores of"
          + " all classes with --against"
      )
      return
    }
    let check = RecomputationCheck(recomputation, meaning, verifier.isolation)
    try check.check(choice.images, comparison.index, path, &tally, &report)
  }

  /// The index of the dataset, or nil for a shard alone and for an index that is broken, which is a finding.
  ///
  /// - Throws: `.io` where the system refuses the file.
  private func datasetIndex() throws(RelabelError) -> DatasetIndex? {
    guard Folder.ofDataset(path) != nil, Folder.hasFile(subject) else { return nil }
    do {
      return try DatasetIndex(parsing: ShardedDataset.indexBytes(subject))
    } catch  where error.code != .io {
      return nil
    }
  }

  /// What findings are about: the dataset's index, or the shard.
  private var subject: String { Verifier.subject(of: path) }
}

extension Report {
  /// True when a shard can't be read as its structure is.
  fileprivate func hasBrokenStructure(_ path: String) -> Bool {
    findings.contains {
      $0.location.file == path && $0.rule.severity == .error
        && [.bytes, .container, .layout].contains($0.rule.stage)
    }
  }
}
