internal import ArgumentParser
internal import Relabel
internal import RelabelPacking
internal import RelabelVerification

/// `verify check`: what `verify` does when no other word follows it.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Verify shards and datasets. You may leave out the word 'check'.",
    discussion: """
      \(verifyingExitCodes)
      """
  )

  @Argument(help: "Shards, folders or index.json files.", completion: .file())
  var paths: [String] = []

  @OptionGroup(title: "How much is read") var reading: ReadingOptions
  @OptionGroup(title: "Reports") var reports: ReportOptions
  @OptionGroup(title: "What counts") var policy: PolicyOptions
  @OptionGroup(title: "With the pictures") var pictures: PictureOptions
  @OptionGroup(title: "With the scores of all classes") var scores: ScoreOptions
  @OptionGroup(title: "Helper processes") var isolation: IsolationOptions

  /// Refuses a call without paths.
  func validate() throws {
    if paths.isEmpty {
      throw ValidationError("Please give at least one shard, folder or index.json.")
    }
    try reports.refuseOverwriting(paths)
  }

  /// Verifies and writes the reports.
  func run() throws {
    var report: Report
    do {
      try reports.check()
      let policy = try policy.policy()
      let meter = ProgressMeter("images", isQuiet: reports.quiet)
      defer { meter.finish() }
      var verifier = try verifier()
      verifier.progress = { meter.show($0, of: $1) }
      report = verifier.verify(paths)
      describe(&report)
      policy.apply(to: &report)
    } catch {
      throw Exit.failing(error)
    }
    let status = reports.write(report)
    if status != .success { throw ExitCode(status.rawValue) }
  }

  private func verifier() throws(RelabelError) -> Verifier {
    var verifier = Verifier(jobs: reading.threads.jobs, isolation: isolation.value)
    verifier.level = reading.level
    verifier.sample = reading.sample
    verifier.pictures = try pictures.checks()
    if !scores.against.isEmpty { verifier.against = DenseInputs(scores.against) }
    return verifier
  }

  /// Adds what was asked for.
  private func describe(_ report: inout Report) {
    report.allowsOmissions = policy.allowIncomplete
    report.listingLimit = reports.maxFindings
    report.options = reading.described
    report.options.merge(policy.described) { $1 }
    report.options.merge(reports.described) { $1 }
  }
}

/// The options of `verify` for those who have what was packed.
struct ScoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Measure the error of the targets of factors again, against these dense logits. Repeatable.",
      discussion: """
        Folders, tars or files that relabel-pack reads, with the keys of the dataset. The error that each shard states \
        is compared with what the scores of all classes say.
        """,
      valueName: "input"
    )
  )
  var against: [String] = []
}

/// How much of the paths is read, and by how many threads.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How much to read: full, or quick for the structure only.",
      discussion:
        "A quick check reads no chunk and compares no digest, so the check is not complete (exit code 3)."
    )
  )
  var level: Verifier.Level = .full

  @Option(
    help: ArgumentHelp(
      "Check the labels of this many images of each path, spread over its shards.",
      discussion: "The check is not complete then (exit code 3).",
      valueName: "n"
    )
  )
  var sample: Int?

  @OptionGroup var threads: JobsOption

  func validate() throws {
    guard let sample else { return }
    if sample < 1 { throw ValidationError("Please give --sample a number of at least 1.") }
    if level == .quick { throw ValidationError("--sample does not go with --level quick.") }
  }

  /// The options as a report states them.
  var described: [String: JSON] {
    [
      "level": .string(level.rawValue),
      "sample": sample.map { .integer(Int64($0)) } ?? .null,
    ]
  }
}
