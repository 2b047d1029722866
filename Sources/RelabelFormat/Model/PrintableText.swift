extension StringProtocol {
  /// The text on one line that people can trust: the gate for names and messages that come from files.
  ///
  /// What steers a terminal, hides or turns text is written out: control characters (C0, DEL, C1), line
  /// separators, and format characters such as bidirectional overrides and zero-width marks. So is the
  /// first character of a text that a build service would obey as a command (`::` and `##`, also after
  /// blanks). A text that is printable already stays as it is.
  package var printable: String {
    var text = ""
    for scalar in unicodeScalars {
      if let escape = scalar.hostileEscape {
        text += escape
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    guard let start = text.firstIndex(where: { !$0.isWhitespace }),
      text[start...].hasPrefix("::") || text[start...].hasPrefix("##")
    else { return text }
    let escape = "\\u{\(String(text.unicodeScalars[start].value, radix: 16))}"
    return text[..<start] + escape + text[text.index(after: start)...]
  }
}

extension Unicode.Scalar {
  /// How a character is written out that steers, hides or turns text; nil for all others.
  fileprivate var hostileEscape: String? {
    switch self {
    case "\n": "\\n"
    case "\t": "\\t"
    case "\r": "\\r"
    default: isHostile ? "\\u{\(String(value, radix: 16))}" : nil
    }
  }

  /// True for what steers, hides or turns the text around it.
  package var isHostile: Bool {
    // Most text needs no table.
    if (0x20..<0x7F).contains(value) { return false }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
