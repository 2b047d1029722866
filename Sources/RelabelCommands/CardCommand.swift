public import ArgumentParser

/// `relabel card`: `relabel-card` of the Python package, under the name that people look for.
public struct CardCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "card",
    abstract:
      "Write what a dataset needs to be published: README.md, croissant.json and a preview. This command needs the Python package.",
    discussion: """
      It runs relabel-card, which pip install 'relabel-hdf5[card]' brings; relabel card --help then lists \
      the options.

      Exit codes: those of relabel-card; 64 where it is not installed.
      """
  )

  @Argument(parsing: .captureForPassthrough, help: "What relabel-card is given.")
  var arguments: [String] = []

  /// Makes the command.
  public init() {}

  /// Hands over to the program; returns only with an error.
  public func run() throws {
    do {
      try PackageProgram(command: "card", extra: "card").handOver(arguments)
    } catch {
      throw Exit.failing(error)
    }
  }
}
