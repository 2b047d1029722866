import Glibc
package import RelabelFormat

/// The helper's side: what a program does when it was started as a helper.
package enum HelperEntry {
  /// The first argument of a helper.
  static let word = "--relabel-helper"

  /// A piece of work that a helper can do.
  package struct Task: Sendable {
    /// True when the task writes files.
    let writesFiles: Bool
    /// Does the work; what it throws ends the helper early.
    let work: @Sendable (JSON, MessageWriter) throws(RelabelError) -> Void

    package init(
      writesFiles: Bool = false,
      _ work: @escaping @Sendable (JSON, MessageWriter) throws(RelabelError) -> Void
    ) {
      self.writesFiles = writesFiles
      self.work = work
    }
  }

  /// Does the task that the command line asks for and ends the program; returns at once when the program was
  /// not started as a helper.
  ///
  /// - Parameter tasks: by name.
  package static func runIfAsked(_ tasks: [String: Task]) {
    let words = CommandLine.arguments.dropFirst()
    guard words.first == word else { return }
    let arguments = Array(words.dropFirst())
    guard arguments.count == 3, let task = tasks[arguments[0]],
      let limits = HelperLimits(argument: arguments[1]),
      let request = try? JSON(parsing: Array(arguments[2].utf8))
    else { exit(64) }
    perform(task, limits, request)
    exit(0)
  }

  private static func perform(_ task: Task, _ limits: HelperLimits, _ request: JSON) {
    limits.apply(writesFiles: task.writesFiles)
    let writer = MessageWriter(STDOUT_FILENO)
    do {
      try task.work(request, writer)
      try writer.send(HelperMessage(.done))
    } catch {
      exit(70)
    }
  }
}
