internal import Glibc

/// The clock and the calendar of the system, in UTC.
package enum SystemClock {
  /// Seconds since the beginning of 1970.
  package static var now: Int { time(nil) }

  /// The day that a clock shows `seconds` after the beginning of 1970.
  package static func day(
    secondsSince1970 seconds: Int
  ) -> (year: Int, month: Int, day: Int) {
    var (time, parts) = (time_t(seconds), tm())
    gmtime_r(&time, &parts)
    return (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
  }
}
