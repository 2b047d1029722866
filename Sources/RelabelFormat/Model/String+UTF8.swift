extension String {
  /// The text that some bytes are in UTF-8, or nil for bytes that are none.
  ///
  /// For names, of which there are millions: `String(validating:as:)` is not specialised and takes
  /// several times as long.
  package init?(exactly bytes: ArraySlice<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    // Decoding replaces what is no UTF-8.
    let count = bytes.count
    let isSame = withUTF8 { text in
      bytes.withUnsafeBytes { bytes in
        guard text.count == bytes.count else { return false }
        return Memory.compare(UnsafeRawBufferPointer(text), bytes, count: count) == 0
      }
    }
    if !isSame { return nil }
  }

  /// Decodes bytes as UTF-8, and writes every byte that is not UTF-8 as `\xFF`.
  ///
  /// For the names of files in messages and lists: two names that differ stay two.
  package init(escaping bytes: some Collection<UInt8>) {
    self = ""
    var parser = Unicode.UTF8.ForwardParser()
    var (place, next) = (bytes.startIndex, bytes.makeIterator())
    while true {
      switch parser.parseScalar(from: &next) {
      case .valid(let scalar):
        unicodeScalars.append(Unicode.UTF8.decode(scalar))
        place = bytes.index(place, offsetBy: scalar.count)
      case .error(let length):
        for _ in 0..<length {
          append("\\x" + Swift.String(bytes[place], radix: 16))
          place = bytes.index(after: place)
        }
      case .emptyInput: return
      }
    }
  }
}

extension ArraySlice<UInt8> {
  /// A name without the null bytes that fill the rest of its cell.
  package var unpadded: ArraySlice<UInt8> {
    prefix(upTo: lastIndex { $0 != 0 }.map { $0 + 1 } ?? startIndex)
  }

  /// True for bytes that are UTF-8.
  package var isText: Bool { allSatisfy { $0 < 0x80 } || String(exactly: self) != nil }
}
