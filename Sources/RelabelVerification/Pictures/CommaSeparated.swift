package import Relabel

/// Records of a text with comma-separated values (RFC 4180): fields may be quoted, with quotes
/// doubled inside; lines end as those of any list do; empty lines are passed over.
package struct CommaSeparated {
  /// Fields, and the line where the record begins, from 1.
  package typealias Record = (line: Int, fields: [String])

  private let bytes: ArraySlice<UInt8>
  private var place: Int
  private var line = 1

  /// Begins at the first record.
  ///
  /// - Throws: `.usage` for bytes that are no text of a list.
  package init(_ bytes: [UInt8], file: String) throws(RelabelError) {
    self.bytes = try TextList.text(bytes, file: file)
    place = self.bytes.startIndex
  }

  /// The next record, or nil at the end.
  ///
  /// - Throws: `.usage` naming the line that breaks the rules of quotes or is not UTF-8.
  package mutating func next() throws(RelabelError) -> Record? {
    while place < bytes.endIndex {
      let first = line
      var fields = [try field()]
      while take(UInt8(ascii: ",")) { fields.append(try field()) }
      let isReturn = take(UInt8(ascii: "\r"))
      guard take(UInt8(ascii: "\n")) || isReturn || place == bytes.endIndex else {
        throw Self.fault(line, "something follows a closing quote")
      }
      line += 1
      if fields != [""] { return (first, fields) }
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.endIndex, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func field() throws(RelabelError) -> String {
    String(decoding: take(UInt8(ascii: "\"")) ? try quoted() : try plain(), as: UTF8.self)
  }

  private mutating func plain() throws(RelabelError) -> [UInt8] {
    let end = bytes[place...].firstIndex { [0x2C, 0x0A, 0x0D].contains($0) } ?? bytes.endIndex
    let isLast = end == bytes.endIndex || bytes[end] != UInt8(ascii: ",")
    let content = isLast ? bytes[place..<end].withoutTrailingBlanks : bytes[place..<end]
    if content.contains(UInt8(ascii: "\"")) {
      throw Self.fault(line, "a quote inside a field that does not begin with one")
    }
    place = end
    return Array(content)
  }

  private mutating func quoted() throws(RelabelError) -> [UInt8] {
    let first = line
    var content: [UInt8] = []
    while place < bytes.endIndex {
      let byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "\""), !take(UInt8(ascii: "\"")) {
        while take(UInt8(ascii: " ")) || take(UInt8(ascii: "\t")) {}
        return content
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      content.append(byte)
    }
    throw Self.fault(first, "a quote is never closed")
  }

  package static func fault(_ line: Int, _ what: String) -> RelabelError {
    RelabelError(.usage, "line \(line): \(what)")
  }
}
