public import ArgumentParser
internal import RelabelVerification

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

        \(verifyingExitCodes)
        """,
      version: RelabelCommand.versionText,
      subcommands: [CheckCommand.self, ExplainCommand.self, ListRulesCommand.self],
      defaultSubcommand: CheckCommand.self
    )
  }

  /// Makes the command.
  public init() {}
}
