public import ArgumentParser
internal import Relabel
internal import Verification

/// `relabel-verify`: proves shards and datasets sound.
public struct VerifyCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove shards and datasets sound, or say what is wrong with them.",
    discussion: """
      Takes shards, folders of shards and index.json files. Every chunk is read and every value \
      checked; spec/rules.md explains the rules.

      Exit codes: 0 sound, 1 findings, 4 unsafe, 5 corrupt, 6 unsupported version or feature, \
      64 usage, 70 internal error, 74 input or output failed.
      """,
    version: RelabelCommand.versionText
  )

  @Argument(help: "Shards, folders or index.json files.", completion: .file())
  var paths: [String] = []

  @Option(help: "How to print the report: text or json.")
  var format: OutputFormat = .text

  @Option(help: "Leave the findings of this rule out; may be repeated.")
  var ignore: [String] = []

  @Flag(help: "Let a check that is not complete be a success.")
  var allowIncomplete = false

  @Flag(help: "List the rules instead.")
  var listRules = false

  @OptionGroup(title: "With the pictures") var pictures: PictureOptions

  @OptionGroup var threads: JobsOption

  @OptionGroup var isolation: IsolationOptions

  /// Makes the command.
  public init() {}

  /// Refuses a call without paths and rules that do not exist.
  public func validate() throws {
    if paths.isEmpty && !listRules {
      throw ValidationError("Please give at least one shard, folder or index.json.")
    }
    if let unknown = ignore.first(where: { Rule.with(id: $0) == nil }) {
      throw ValidationError("There is no rule '\(unknown)'; see --list-rules.")
    }
  }

  /// Verifies and prints the report.
  public func run() throws {
    if listRules { return try printRules() }
    var verifier = Verifier(jobs: threads.jobs, isolation: isolation.value)
    do { verifier.pictures = try pictures.checks() } catch { throw Exit.failing(error) }
    var report = verifier.verify(paths)
    report.ignore(Set(ignore))
    report.allowsOmissions = allowIncomplete
    switch format {
    case .text: Output.result(report.text())
    case .json: Output.result(try report.json().pretty())
    }
    if report.exitCode != 0 { throw ExitCode(report.exitCode) }
  }

  private func printRules() throws {
    switch format {
    case .text:
      for rule in Rule.all { Output.result("\(rule.id)  \(rule.title)") }
    case .json:
      let rules = Rule.all.map { rule in
        JSON.object([
          "id": .string(rule.id),
          "title": .string(rule.title),
          "severity": .string(rule.severity.rawValue),
          "exit_code": .integer(Int64(rule.outcome.rawValue)),
        ])
      }
      Output.result(try JSON.array(rules).pretty())
    }
  }
}
