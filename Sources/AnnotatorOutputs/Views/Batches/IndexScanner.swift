import Relabel

/// Reads `{"0": [6, 15, …], …}` piece by piece.
struct IndexScanner {
  private let input: StreamBytes
  private var piece: [UInt8] = []
  private var place = 0
  private var isFirst = true

  init(_ input: StreamBytes) { self.input = input }

  /// Appends the numbers of the next list; nil behind the last one.
  mutating func next(
    into numbers: inout [Int32],
    _ most: Int
  ) throws(RelabelError) -> (String, Range<Int>)? {
    let mark = try symbol()
    if isFirst {
      guard mark == UInt8(ascii: "{") else { throw IndexLists.unlike }
      isFirst = false
      if try peekSymbol() == UInt8(ascii: "}") { return try end() }
    } else if mark == UInt8(ascii: "}") {
      place -= 1
      return try end()
    } else if mark != UInt8(ascii: ",") {
      throw IndexLists.unlike
    }
    guard try symbol() == UInt8(ascii: "\"") else { throw IndexLists.unlike }
    var name: [UInt8] = []
    while let byte = try byte(), byte != UInt8(ascii: "\"") {
      name.append(byte)
      guard name.count <= 10 else { throw IndexLists.unlike }
    }
    guard try symbol() == UInt8(ascii: ":"), try symbol() == UInt8(ascii: "[") else {
      throw IndexLists.unlike
    }
    let start = numbers.count
    if try peekSymbol() == UInt8(ascii: "]") {
      _ = try symbol()
    } else {
      repeat {
        numbers.append(try number())
        guard numbers.count <= most else {
          throw RelabelError(.unsafeInput, "the index lists have more than \(most) numbers")
        }
      } while try isFollowedByMore()
    }
    return (String(decoding: name, as: UTF8.self), start..<numbers.count)
  }

  private mutating func end() throws(RelabelError) -> (String, Range<Int>)? {
    _ = try symbol()
    while let byte = try byte() {
      guard Self.isSpace(byte) else { throw IndexLists.unlike }
    }
    return nil
  }

  private mutating func isFollowedByMore() throws(RelabelError) -> Bool {
    switch try symbol() {
    case UInt8(ascii: ","): true
    case UInt8(ascii: "]"): false
    default: throw IndexLists.unlike
    }
  }

  private mutating func number() throws(RelabelError) -> Int32 {
    var value: Int32 = 0
    guard let first = try symbol(), Self.isDigit(first) else { throw IndexLists.unlike }
    value = Int32(first - 0x30)
    while let byte = try byte() {
      guard Self.isDigit(byte) else {
        place -= 1
        return value
      }
      let (ten, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow2) = ten.addingReportingOverflow(Int32(byte - 0x30))
      guard !overflow, !overflow2 else { throw IndexLists.unlike }
      value = sum
    }
    throw IndexLists.unlike
  }

  private mutating func peekSymbol() throws(RelabelError) -> UInt8? {
    let symbol = try symbol()
    if symbol != nil { place -= 1 }
    return symbol
  }

  /// The next byte that is no white space.
  private mutating func symbol() throws(RelabelError) -> UInt8? {
    while let byte = try byte() {
      if !Self.isSpace(byte) { return byte }
    }
    return nil
  }

  private mutating func byte() throws(RelabelError) -> UInt8? {
    if place == piece.count {
      piece = Array(try input.some())
      place = 0
      if piece.isEmpty { return nil }
    }
    place += 1
    return piece[place - 1]
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
