public import ArgumentParser
internal import Verification

/// `relabel verify`: proves shards and datasets sound, and explains the rules.
public struct VerifyCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = describing("verify", as: "relabel verify")

  /// The command under a name; `invocation` is what a user types before its arguments.
  static func describing(_ name: String, as invocation: String) -> CommandConfiguration {
    CommandConfiguration(
      commandName: name,
      abstract: "Prove shards and datasets sound, or say what is wrong with them.",
      usage: """
        \(invocation) <path> ... [<option> ...]
        \(invocation) explain <rule>
        \(invocation) list-rules
        """,
      discussion: """
        Takes shards, folders of shards and index.json files. Every chunk is read and every value \
        checked. '\(invocation) help check' lists the options. A file called 'check', 'explain', \
        'list-rules' or 'help' is given as './explain'.

        Exit codes: 0 sound, 1 findings, 3 not everything was checked, 4 unsafe, 5 corrupt, \
        6 unsupported version or feature, 64 usage, 70 internal error, 74 input or output failed. \
        Where several apply, the first of this list wins: 70, 74, 5, 4, 6, 1, 3, 0.
        """,
      version: RelabelCommand.versionText,
      subcommands: [CheckCommand.self, ExplainCommand.self, ListRulesCommand.self],
      defaultSubcommand: CheckCommand.self
    )
  }

  /// Makes the command.
  public init() {}
}
