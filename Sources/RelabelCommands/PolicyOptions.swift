internal import ArgumentParser
internal import Relabel
internal import RelabelVerification

/// The options of `verify` that decide which findings count, and how much.
struct PolicyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Count only findings of these rules: an id, or a pattern such as 'V*' or 'V01?'. Repeatable.",
      valueName: "pattern"
    )
  )
  var select: [String] = []

  @Option(
    help: ArgumentHelp(
      "Do not count findings of these rules. Repeatable.",
      discussion: "The report still lists them, as silenced.",
      valueName: "pattern"
    )
  )
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp(
      "The lowest severity that makes the command fail: error, warning, note or never.",
      discussion: "The default is what the configuration says, or error.",
      valueName: "severity"
    )
  )
  var failOn: FailureThreshold?

  @Option(
    help: ArgumentHelp(
      "A JSON document that changes the severity of rules or silences them.",
      discussion: "Its schema is spec/verify-config.schema.json.",
      valueName: "file.json"
    ),
    completion: .file(extensions: ["json"])
  )
  var config: String?

  @Option(
    help: ArgumentHelp(
      "An earlier report. Its findings are not counted again.",
      discussion: "Make this report with --format json=FILE and without --max-findings.",
      valueName: "file.json"
    ),
    completion: .file(extensions: ["json"])
  )
  var baseline: String?

  @Flag(help: "Succeed even if the check is not complete.")
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
