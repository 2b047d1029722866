public import ArgumentParser

/// `relabel export`: `relabel-export` of the Python package, under the name that people look for.
public struct ExportCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the labels in a form that others read. This command needs the Python package.",
    discussion: """
      It runs relabel-export, which pip install 'relabel-hdf5[export]' brings; relabel export --help then \
      lists the forms and the options.

      Exit codes: those of relabel-export; 64 where it is not installed.
      """
  )

  @Argument(parsing: .captureForPassthrough, help: "What relabel-export is given.")
  var arguments: [String] = []

  /// Makes the command.
  public init() {}

  /// Hands over to the program; returns only with an error.
  public func run() throws {
    do {
      try PackageProgram(command: "export", extra: "export").handOver(arguments)
    } catch {
      throw Exit.failing(error)
    }
  }
}
