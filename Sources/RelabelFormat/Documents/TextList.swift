/// The text of a list that an editor or a spreadsheet of any system wrote.
///
/// Every list that the tools read comes through here, so that all are read by one rule.
package enum TextList {
  /// The text of a file: UTF-8, without its byte order mark.
  ///
  /// - Throws: `.usage` for other encodings, null bytes and what git-lfs has not fetched, naming the first line.
  package static func text(_ bytes: [UInt8], file: String) throws(RelabelError) -> ArraySlice<UInt8>
  {
    if let fault = fault(ofStart: bytes) {
      throw RelabelError(.usage, fault, at: Location(file: file))
    }
    let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let text = bytes[(isMarked ? 3 : 0)...]
    if let place = text.firstIndex(of: 0) {
      throw fault(
        lineOf: place,
        in: bytes,
        "holds a null byte; save the file as plain text in UTF-8, not UTF-16",
        file
      )
    }
    guard text.isText else {
      let line = ranges(of: text).first { !text[$0].isText } ?? text.indices
      throw fault(
        lineOf: line.lowerBound,
        in: bytes,
        "is not UTF-8 text; save the file as UTF-8",
        file
      )
    }
    return text
  }

  /// The lines of a list, in which the number of a line means something.
  ///
  /// Lines end with LF, CR LF or CR, the last one also with the file. Blanks at the end of a line and blank lines
  /// at the end of the file do not count.
  /// - Throws: `.usage` for what `text` refuses, and for a blank line before others, which would shift them.
  package static func lines(_ bytes: [UInt8], file: String) throws(RelabelError) -> [String] {
    let text = try Self.text(bytes, file: file)
    var lines: [String] = []
    var blank: Int?
    for (number, range) in ranges(of: text).enumerated() {
      let line = String(decoding: text[range].withoutTrailingBlanks, as: UTF8.self)
      if line.isEmpty {
        blank = blank ?? number
      } else if let blank {
        throw RelabelError(
          .usage,
          "line \(blank + 1) is blank, and others follow; each line has a number: remove it",
          at: Location(file: file)
        )
      } else {
        lines.append(line)
      }
    }
    return lines
  }

  /// A field as it was before a spreadsheet put it in quotes; one that is not quoted as a whole stays as it is.
  package static func unquoted(_ field: some StringProtocol) -> String {
    let bytes = Array(field.utf8)
    let quote = UInt8(ascii: "\"")
    guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return String(field) }
    var content: [UInt8] = []
    var inner = bytes.dropFirst().dropLast()
    while let byte = inner.popFirst() {
      // Inside, a spreadsheet doubles every quote.
      if byte == quote, inner.popFirst() != quote { return String(field) }
      content.append(byte)
    }
    return String(decoding: content, as: UTF8.self)
  }

  private static func fault(ofStart bytes: [UInt8]) -> String? {
    if GitLFSPointer.begins(bytes) { return GitLFSPointer.fault }
    let encoding: String
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
      encoding = "UTF-32"
    } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      encoding = "UTF-16, which Windows programs call Unicode"
    } else {
      return nil
    }
    return "the text is \(encoding); save it as UTF-8 (iconv -f \(encoding.prefix(6)) -t UTF-8)"
  }

  private static func fault(
    lineOf place: Int,
    in bytes: [UInt8],
    _ what: String,
    _ file: String
  ) -> RelabelError {
    let line = ranges(of: bytes[..<place] + [UInt8(ascii: ".")]).count
    return RelabelError(.usage, "line \(line) \(what)", at: Location(file: file))
  }

  /// Where the lines lie, without their ends.
  private static func ranges(of text: ArraySlice<UInt8>) -> [Range<Int>] {
    let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    var ranges: [Range<Int>] = []
    var start = text.startIndex
    for place in text.indices where text[place] == feed || text[place] == carriage {
      let isSecond = text[place] == feed && place > text.startIndex && text[place - 1] == carriage
      if !isSecond { ranges.append(start..<place) }
      start = place + 1
    }
    if start < text.endIndex { ranges.append(start..<text.endIndex) }
    return ranges
  }
}

extension ArraySlice<UInt8> {
  /// The bytes before the spaces and tabs at their end.
  package var withoutTrailingBlanks: ArraySlice<UInt8> {
    let last = lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    return self[startIndex..<(last.map { $0 + 1 } ?? startIndex)]
  }
}
