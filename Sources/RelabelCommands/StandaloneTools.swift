public import ArgumentParser
internal import HelperProcesses
internal import RelabelPacking
internal import Relabel
internal import RelabelVerification

/// `relabel-pack`: `relabel pack` as a program of its own.
public struct PackTool: ParsableCommand {
  /// As `relabel pack`, under its own name.
  public static let configuration: CommandConfiguration =
    PackCommand.configuration.named("relabel-pack")

  @OptionGroup var command: PackCommand

  /// Makes the command.
  public init() {}

  /// Packs.
  public func run() throws { try command.run() }
}

/// `relabel-verify`: `relabel verify` as a program of its own.
public struct VerifyTool: ParsableCommand {
  /// As `relabel verify`, under its own name.
  public static let configuration: CommandConfiguration =
    VerifyCommand.describing("relabel-verify", as: "relabel-verify")

  /// Makes the command.
  public init() {}
}

/// What every program does first: work as a helper when it was started as one.
public enum Program {
  /// Runs `relabel`, or the tool whose name the program was started under, and ends the program.
  ///
  /// A wheel holds one program, and small ones named `relabel-pack` and `relabel-verify` that start it.
  public static func runByName() {
    let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init)
    switch name {
    case PackTool.configuration.commandName: run(PackTool.self)
    case VerifyTool.configuration.commandName: run(VerifyTool.self)
    default: run(RelabelCommand.self)
    }
  }

  /// Runs `command` with the arguments of the command line and ends the program.
  public static func run<Command: ParsableCommand>(_ command: Command.Type) {
    HelperEntry.runIfAsked(
      VerificationHelper.tasks.merging(RecoveryHelper.tasks) { first, _ in first }
        .merging(ForeignHelper.tasks) { first, _ in first }
    )
    StandardStream.reportFailedWrites()
    ThisProcess.exit(status(of: command))
  }

  /// Runs `command` and says how it ended, on the streams and as an exit code.
  private static func status<Command: ParsableCommand>(of command: Command.Type) -> Int32 {
    do {
      try ThisProcess.checkArguments()
      var command = try command.parseAsRoot()
      try command.run()
      return ExitStatus.success.rawValue
    } catch let error as RelabelError {
      return Exit.failing(error).rawValue
    } catch {
      return end(command, error)
    }
  }

  /// Prints what the argument parser has to say, which may be the help that was asked for.
  private static func end<Command: ParsableCommand>(
    _ command: Command.Type,
    _ error: any Error
  ) -> Int32 {
    let (code, message) = (command.exitCode(for: error), command.fullMessage(for: error))
    if message.isEmpty { return code.rawValue }
    guard code.isSuccess else {
      Output.error(message)
      return code.rawValue
    }
    do throws(RelabelError) {
      try Output.document(message)
      return code.rawValue
    } catch {
      return Exit.failing(error).rawValue
    }
  }

  /// This program, to be started again as its own helper.
  static let path = "/proc/self/exe"
}

extension CommandConfiguration {
  fileprivate func named(_ name: String) -> CommandConfiguration {
    var copy = self
    copy.commandName = name
    return copy
  }
}
