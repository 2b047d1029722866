internal import Glibc

/// The C locale for the thread that asks for it, in which libraries leave the bytes of names as they are.
package struct PlainLocale {
  // Made once and never freed. LC_CTYPE_MASK is a macro that Swift can't import: 1 << LC_CTYPE.
  nonisolated(unsafe) private static let plain: locale_t? = newlocale(1 << LC_CTYPE, "C", nil)

  private let previous: locale_t?

  /// Enters the locale.
  package init() { previous = uselocale(Self.plain) }

  /// Goes back to the locale from before.
  package func leave() { uselocale(previous) }
}
