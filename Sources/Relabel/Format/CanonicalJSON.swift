/// The canonical spelling of JSON texts (spec, section 10.1).
package enum CanonicalJSON {
  /// Why `text`, which parses to `value`, is not canonical, or nil when it is.
  ///
  /// Numbers that are not whole may be spelled in any way that reads back as the same value, since
  /// languages differ there.
  package static func fault(_ text: [UInt8], _ value: JSON) -> String? {
    guard let canonical = try? value.canonical() else { return "it can't be written again" }
    let (ours, theirs) = (Skeleton(canonical), Skeleton(text))
    if theirs.hasLooseWholeNumber { return "a whole number has a fraction or an exponent" }
    guard ours.text == theirs.text, ours.numbers == theirs.numbers else {
      return "white space, the order of names, a repeated name, or an escape"
    }
    return nil
  }

  /// A text with its numbers taken out.
  private struct Skeleton {
    var text: [UInt8] = []
    var numbers: [Double?] = []
    var hasLooseWholeNumber = false

    init(_ bytes: [UInt8]) {
      text.reserveCapacity(bytes.count)
      var (position, isInString) = (0, false)
      while position < bytes.count {
        let byte = bytes[position]
        if !isInString, Self.startsNumber(byte) {
          let end = bytes[position...].firstIndex { !Self.continuesNumber($0) } ?? bytes.count
          add(String(decoding: bytes[position..<end], as: UTF8.self))
          position = end
          continue
        }
        text.append(byte)
        position += 1
        if byte == UInt8(ascii: "\"") {
          isInString.toggle()
        } else if isInString, byte == UInt8(ascii: "\\"), position < bytes.count {
          text.append(bytes[position])
          position += 1
        }
      }
    }

    private mutating func add(_ number: String) {
      let value = Double(number)
      text.append(UInt8(ascii: "0"))
      numbers.append(value)
      guard let value, abs(value) < 0x1p53, value.rounded() == value else { return }
      if number.contains(where: { ".eE".contains($0) }) || number == "-0" {
        hasLooseWholeNumber = true
      }
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
      startsNumber(byte) || "+.eE".utf8.contains(byte)
    }
  }
}
