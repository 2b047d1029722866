package import Relabel

/// A page of one file that opens without a network: style, scripts and one JSON document in HTML.
///
/// The scripts draw the page from the document with text nodes alone, so a name of a file is never markup. The page's
/// policy allows these scripts, by their digests, and no others.
package struct Page {
  /// What a page is of; each kind has one script that draws it.
  package enum Kind: String, CaseIterable, Sendable {
    case browse
    case difference
    case report
    case view
  }

  private let kind: Kind
  private let title: String
  private let document: JSON
  /// Where pictures may come from, beside the page itself.
  private let pictures: String
  private let connects: Bool

  /// Makes a page.
  ///
  /// - Parameters:
  ///   - kind: what it shows.
  ///   - title: the title, any text.
  ///   - document: what the kind's script draws.
  ///   - isServed: true for a page of a local server, which may ask that server for more.
  package init(_ kind: Kind, title: String, document: JSON, isServed: Bool = false) {
    self.kind = kind
    self.title = title
    self.document = document
    // What a script has asked for with its token is shown from memory.
    pictures = isServed ? "data: blob:" : "data:"
    connects = isServed
  }

  /// The whole page as HTML.
  ///
  /// - Throws: `.invalidInput` for a number of the document that is not finite.
  /// - Complexity: O(bytes of the document).
  package func html() throws(RelabelError) -> String {
    let script = Assets.script(of: kind)
    let style = Assets.style(of: kind)
    let policy = [
      "default-src 'none'", "img-src \(pictures)",
      "script-src '\(Self.digest(of: script))'", "style-src '\(Self.digest(of: style))'",
      connects ? "connect-src 'self'" : nil, "base-uri 'none'", "form-action 'none'",
    ].compactMap(\.self).joined(separator: "; ")
    // In a script element only "<" could end the element or begin a comment.
    let data = try document.line().replacing("<", with: "\\u003c")
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="relabel \(Software.version)">
      <link rel="icon" href="data:,">
      <title>\(title.printable.escapedForHTML)</title>
      <style>\(style)</style>
      </head>
      <body data-kind="\(kind.rawValue)">
      <main id="page"><noscript><p>This page is drawn by its own script: please allow scripts for this file.</p></noscript></main>
      <script type="application/json" id="document">\(data)</script>
      <script>\(script)</script>
      </body>
      </html>

      """
  }

  private static func digest(of text: String) -> String {
    "sha256-" + Base64.text(of: Digest.bytes(of: Array(text.utf8)))
  }
}

extension String {
  /// The text with the five characters that HTML gives a meaning to as references.
  package var escapedForHTML: String {
    var text = ""
    for character in unicodeScalars {
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.unicodeScalars.append(character)
      }
    }
    return text
  }
}
