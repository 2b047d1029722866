public import ArgumentParser
internal import HDF5
internal import Relabel

/// `relabel`: all commands under one name.
public struct RelabelCommand: ParsableCommand {
  /// Name, subcommands and version.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "relabel",
    abstract: "Store, check and read the label maps that a machine annotator computed.",
    version: versionText,
    subcommands: [
      PackCommand.self, VerifyCommand.self, RecoverCommand.self, InfoCommand.self,
      KeysCommand.self, ShowCommand.self, PoolCommand.self,
      ViewCommand.self, BrowseCommand.self, ReportCommand.self, StatsCommand.self,
      DiffCommand.self,
      ExportCommand.self, CardCommand.self,
    ]
  )

  /// Makes the command.
  public init() {}

  /// Tool, format and HDF5 version, for `--version`.
  static var versionText: String {
    "\(Software.version) (format \(FormatVersion.newest), HDF5 \(Library.version))"
  }
}
