internal import ArgumentParser
internal import RelabelSystem
import Synchronization

/// How much a long command says while it works.
struct ProgressOptions: ParsableArguments {
  @Flag(
    name: .shortAndLong,
    help: "Show no progress, and print the summary only if something is missing from the result."
  )
  var quiet = false

  /// A meter that keeps to it.
  func meter(of unit: String) -> ProgressMeter { ProgressMeter(unit, isQuiet: quiet) }
}

/// How far a command is: a line that is drawn again a few times a second on a terminal, and a line a minute elsewhere, for
/// the logs of clusters.
///
/// Callable from any thread.
final class ProgressMeter: Sendable {
  private let unit: String
  private let isQuiet: Bool
  private let started = ContinuousClock.now
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  init(_ unit: String, isQuiet: Bool = false) {
    self.unit = unit
    self.isQuiet = isQuiet
  }

  /// Seconds since the start.
  var elapsed: Double {
    let duration = ContinuousClock.now - started
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  func show(_ done: Int, of total: Int?) {
    guard !isQuiet else { return }
    let isTerminal = Output.isTerminal
    let isDue = lastShown.withLock { last in
      let now = ContinuousClock.now
      let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(60)
      let since = now - (last ?? (isTerminal ? now - interval : started))
      guard since >= interval || isTerminal && done == total else { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let line = Self.line(done, of: total, unit, seconds: elapsed, hasBar: isTerminal)
    if isTerminal { Output.progress(line) } else { Output.error(line) }
  }

  /// Clears the line of a terminal.
  func finish() {
    if lastShown.withLock({ $0 != nil }) { Output.progress("") }
  }

  /// What the meter says: a bar and the share where the total is known, then count, rate and time left.
  static func line(
    _ done: Int,
    of total: Int?,
    _ unit: String,
    seconds: Double,
    hasBar: Bool
  ) -> String {
    let rate = Double(done) / max(seconds, 1e-3)
    let counted =
      "\(done)" + (total.map { " of \($0)" } ?? "") + " \(unit), \(rate.rounded(to: 0))/s"
    guard let total, total > 0 else { return counted }
    let share = min(max(Double(done) / Double(total), 0), 1)
    let left = rate > 0 ? ", \(words(seconds: Double(max(total - done, 0)) / rate)) left" : ""
    guard hasBar else { return counted + left }
    let filled = Int(share * Double(barWidth))
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
    return "\(bar) \(Int(share * 100)) %  \(counted)\(left)"
  }

  private static let barWidth = 24

  /// A time for people: its two largest units.
  private static func words(seconds: Double) -> String {
    let whole = Int(min(seconds.rounded(), 1e9))
    let units = [
      (whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s"),
    ]
    let first = units.firstIndex { $0.0 > 0 } ?? 3
    return units[first..<min(first + 2, 4)].map { "\($0.0) \($0.1)" }.joined(separator: " ")
  }
}
