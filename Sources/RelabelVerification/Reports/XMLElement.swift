internal import Relabel

/// An element of an XML document.
package struct XMLElement {
  let name: String
  var attributes: [(name: String, value: String)] = []
  /// The elements within it.
  package var children: [XMLElement] = []
  var text: String = ""

  /// Makes an element of a name, attributes in their order, and a text in place of children.
  package init(_ name: String, _ attributes: [(String, String)] = [], text: String = "") {
    self.name = name
    self.attributes = attributes
    self.text = text
  }

  /// The document whose root this is.
  package var document: String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + lines("").joined(separator: "\n")
  }

  private func lines(_ indent: String) -> [String] {
    let attributes = attributes.map { " \($0.name)=\"\(Self.escaped($0.value))\"" }.joined()
    if children.isEmpty && text.isEmpty { return ["\(indent)<\(name)\(attributes)/>"] }
    if children.isEmpty {
      return ["\(indent)<\(name)\(attributes)>\(Self.escaped(text))</\(name)>"]
    }
    return ["\(indent)<\(name)\(attributes)>"] + children.flatMap { $0.lines(indent + "  ") }
      + ["\(indent)</\(name)>"]
  }

  /// Control characters, which XML can't hold, are written out.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.split(separator: "\n", omittingEmptySubsequences: false)
      .map(\.printable).joined(separator: "\n").unicodeScalars
    {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n": escaped += "&#10;"
      case "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
