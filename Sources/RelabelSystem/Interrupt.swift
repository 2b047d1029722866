internal import Glibc

/// The signals that ask a program to end: Ctrl-C, and what a service manager sends.
package enum Interrupt {
  private static var signals: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    return signals
  }

  /// Holds the signals back from now on, in this thread and those that it starts.
  package static func hold() {
    var signals = signals
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Waits until one of the signals comes, which `hold` keeps from ending the process.
  package static func wait() {
    var (signals, signal) = (signals, Int32(0))
    while sigwait(&signals, &signal) != 0 {}
  }
}
