package import Relabel

/// Records of a text with comma-separated values (RFC 4180): fields may be quoted, with quotes
/// doubled inside; lines end with or without a carriage return; empty lines are passed over.
package struct CommaSeparated {
  /// Fields, and the line where the record begins, from 1.
  package typealias Record = (line: Int, fields: [String])

  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  /// Begins at the first record; a byte order mark is passed over.
  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
  }

  /// The next record, or nil at the end.
  ///
  /// - Throws: `.usage` naming the line that breaks the rules of quotes or is not UTF-8.
  package mutating func next() throws(RelabelError) -> Record? {
    while place < bytes.count {
      let first = line
      var fields = [try field()]
      while take(UInt8(ascii: ",")) { fields.append(try field()) }
      _ = take(UInt8(ascii: "\r"))
      guard take(UInt8(ascii: "\n")) || place == bytes.count else {
        throw Self.fault(line, "something follows a closing quote or a carriage return")
      }
      line += 1
      if fields != [""] { return (first, fields) }
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func field() throws(RelabelError) -> String {
    let first = line
    let content = take(UInt8(ascii: "\"")) ? try quoted() : try plain()
    guard let text = String(validating: content, as: UTF8.self) else {
      throw Self.fault(first, "the text is not UTF-8")
    }
    return text
  }

  private mutating func plain() throws(RelabelError) -> [UInt8] {
    let end = bytes[place...].firstIndex { [0x2C, 0x0A, 0x0D].contains($0) } ?? bytes.count
    let content = bytes[place..<end]
    if content.contains(UInt8(ascii: "\"")) {
      throw Self.fault(line, "a quote inside a field that does not begin with one")
    }
    place = end
    return Array(content)
  }

  private mutating func quoted() throws(RelabelError) -> [UInt8] {
    let first = line
    var content: [UInt8] = []
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "\""), !take(UInt8(ascii: "\"")) { return content }
      if byte == UInt8(ascii: "\n") { line += 1 }
      content.append(byte)
    }
    throw Self.fault(first, "a quote is never closed")
  }

  package static func fault(_ line: Int, _ what: String) -> RelabelError {
    RelabelError(.usage, "line \(line): \(what)")
  }
}
