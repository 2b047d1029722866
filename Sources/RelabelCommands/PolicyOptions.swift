internal import ArgumentParser
internal import Relabel
internal import RelabelVerification

/// The options of `verify` that decide which findings count, and how much.
struct PolicyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Only findings of these rules count: an id or a pattern such as 'V*' or 'V01?'; repeatable.",
      valueName: "pattern"
    )
  )
  var select: [String] = []

  @Option(
    help: ArgumentHelp(
      "Findings of these rules do not count; repeatable.",
      discussion: "They stay in the report as silenced.",
      valueName: "pattern"
    )
  )
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp(
      "The least severity that makes the exit code fail: error, warning, note or never.",
      discussion: "By default what the configuration says, else error.",
      valueName: "severity"
    )
  )
  var failOn: FailureThreshold?

  @Option(
    help: ArgumentHelp(
      "A JSON document that re-rates or silences rules.",
      discussion: "Its schema is spec/verify-config.schema.json.",
      valueName: "file.json"
    ),
    completion: .file(extensions: ["json"])
  )
  var config: String?

  @Option(
    help: ArgumentHelp(
      "An earlier report: what it holds does not count again.",
      discussion: "Made with --format json=FILE and without --max-findings.",
      valueName: "file.json"
    ),
    completion: .file(extensions: ["json"])
  )
  var baseline: String?

  @Flag(help: "Let a check that is not complete be a success.")
  var allowIncomplete = false

  func validate() throws {
    if let unknown = (select + ignore).first(where: { RulePattern($0) == nil }) {
      throw ValidationError("There is no rule '\(unknown)'; list-rules lists all.")
    }
  }

  /// The policy with what its files say.
  ///
  /// - Throws: `.usage` for a file that says what can't be meant, `.io` for one that can't be read.
  func policy() throws(RelabelError) -> Policy {
    var policy = Policy()
    policy.selected = select.compactMap(RulePattern.init)
    policy.ignored = ignore.compactMap(RulePattern.init)
    policy.failOn = failOn
    if let config {
      policy.configuration = try PolicyConfiguration(parsing: TextFile.bytes(config), file: config)
    }
    if let baseline {
      policy.baseline = try Baseline(parsing: TextFile.bytes(baseline), file: baseline)
    }
    return policy
  }

  /// The options as a report states them.
  var described: [String: JSON] {
    var options: [String: JSON] = [
      "select": .array(select.map(JSON.string)), "ignore": .array(ignore.map(JSON.string)),
    ]
    options["config"] = config.map(JSON.string)
    options["baseline"] = baseline.map(JSON.string)
    return options
  }
}
