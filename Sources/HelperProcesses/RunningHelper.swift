import Glibc
package import RelabelFormat
internal import RelabelSystem

/// A helper at work, whose messages are taken one by one.
///
/// Belongs to one thread at a time. A helper that is let go before its end is ended.
package final class RunningHelper {
  /// How the helper ended by what the file did to it; nil while it runs, and when it said that it was done.
  package private(set) var death: HelperProcess.Death?
  private var isOver = false
  private let child: HelperChild
  private let limits: HelperLimits
  private var reader: MessageReader

  init(_ child: HelperChild, _ limits: HelperLimits) {
    (self.child, self.limits) = (child, limits)
    reader = MessageReader(child.output, silence: limits.silence)
  }

  deinit { if !isOver { _ = child.end(runs: true) } }

  /// Waits for the next message; nil when the helper said that it was done, or has ended (`death`).
  ///
  /// - Throws: `.io` when the helper was ended from outside, and what the system refused it: nothing is known of
  ///   the file then.
  package func next() throws(RelabelError) -> HelperMessage? {
    if isOver { return nil }
    let fault: HelperProcess.Death
    do throws(RelabelError) {
      switch try reader.next() {
      case .message(let message) where message.kind == .done:
        close(runs: true)
        return nil
      case .message(let message): return message
      case .end: return try end()
      case .silence: fault = .silence
      }
    } catch {
      try refuse(error)
      return nil
    }
    let isStopped = child.isStopped
    close(runs: true)
    if isStopped {
      throw RelabelError(
        .io,
        "the helper process was stopped from outside: nothing is known of this file; run again"
      )
    }
    death = fault
    return nil
  }

  /// Ends the helper, whose last message can't be trusted; what the system refused is thrown on.
  package func refuse(_ error: RelabelError) throws(RelabelError) {
    if isOver { throw error }
    close(runs: true)
    if error.code == .io { throw error }
    death = .nonsense(error.message)
  }

  /// Finds out why the helper closed its end without saying that it was done.
  private func end() throws(RelabelError) -> HelperMessage? {
    guard let status = close(runs: false) else {
      throw .system("it is not known how the helper process ended")
    }
    let ending = HelperProcess.Death(status: status)
    if let cause = limits.causeOutside(of: ending) {
      throw RelabelError(
        .io,
        "the helper process \(ending), \(cause): nothing is known of this file; run again"
      )
    }
    death = ending
    return nil
  }

  @discardableResult
  private func close(runs: Bool) -> Int32? {
    isOver = true
    return child.end(runs: runs)
  }
}

/// The process of a helper.
struct HelperChild {
  let pid: pid_t
  /// What it says.
  let output: Int32

  /// True where somebody has stopped it, and it is not its own work that takes so long.
  ///
  /// Calls `waitid`, which leaves it as it is.
  var isStopped: Bool {
    var info = siginfo_t()
    let result = waitid(P_PID, id_t(pid), &info, WSTOPPED | WNOHANG | WNOWAIT)
    return result == 0 && info.si_signo == SIGCHLD
  }

  /// Lets go of the helper, by force if it still `runs`; its status as `waitpid` tells it, or nil where the
  /// system has it no more.
  func end(runs: Bool) -> Int32? {
    _ = Glibc.close(output)
    if runs { kill(pid, SIGKILL) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      if errno != EINTR { return nil }
    }
    return status
  }
}

extension HelperProcess.Death {
  init(status: Int32) {
    let signal = status & 0x7F
    self =
      signal == SIGXCPU
      ? .time : signal == 0 ? .status(status >> 8 & 0xFF) : .signal(signal)
  }
}
