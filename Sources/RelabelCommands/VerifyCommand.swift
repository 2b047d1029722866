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
      abstract: "Check that shards and datasets are sound, or say what is wrong with them.",
      usage: """
        \(invocation) <path> ... [<option> ...]
        \(invocation) explain <rule>
        \(invocation) list-rules
        """,
      discussion: """
        The paths are shards, folders of shards, or index.json files. The verifier reads every chunk and \
        checks every value. '\(invocation) help check' lists the options. If a file is called 'check', \
        'explain', 'list-rules' or 'help', write './' before its name.

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
