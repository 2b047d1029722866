import Synchronization

/// Count, rate and time left on a terminal, a few times a second.
final class ProgressMeter: Sendable {
  private let unit: String
  private let started = ContinuousClock.now
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  init(_ unit: String) {
    self.unit = unit
  }

  /// Seconds since the start.
  var elapsed: Double {
    let duration = ContinuousClock.now - started
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  func show(_ done: Int, of total: Int?) {
    guard Output.isTerminal else { return }
    let isDue = lastShown.withLock { last in
      let now = ContinuousClock.now
      if let shown = last, now - shown < .milliseconds(200), done != total { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let rate = Double(done) / max(elapsed, 1e-3)
    var line = "\(done)" + (total.map { " of \($0)" } ?? "") + " \(unit), \(rate.rounded(to: 0))/s"
    if let total, rate > 0 {
      line += ", \((Double(total - done) / rate).rounded(to: 0)) s left"
    }
    Output.progress(line)
  }

  /// Clears the line.
  func finish() {
    if lastShown.withLock({ $0 != nil }) { Output.progress("") }
  }
}
