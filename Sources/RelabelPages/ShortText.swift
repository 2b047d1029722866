internal import RelabelFormat

extension String {
  /// The text on one line, through the gate, cut where it would fill a page: names and keys come from files.
  package var shortened: String { printable.cut(120) }

  /// The text, or its beginning where it has more than `limit` characters.
  func cut(_ limit: Int) -> String {
    guard unicodeScalars.count > limit else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.prefix(limit - 1))) + "…"
  }
}
