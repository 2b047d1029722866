import Relabel

/// Lists of pictures by the number of their epoch or batch, as samplers have noted them.
struct IndexLists {
  /// The most numbers of a file: 4 bytes each in memory.
  private static let maximumNumbers = 32 << 20

  private var numbers: [Int32] = []
  private var ranges: [Int: Range<Int>] = [:]
  /// What errors call the file.
  let path: String

  /// How many lists there are.
  var count: Int { ranges.count }

  /// A list, or nil where the file has none of this number.
  subscript(number: Int) -> ArraySlice<Int32>? { ranges[number].map { numbers[$0] } }

  /// Part of a list.
  ///
  /// - Parameters:
  ///   - number: of the list.
  ///   - start: where the part begins.
  ///   - count: how many pictures are wanted.
  ///   - isLast: true where the list has to end there.
  /// - Returns: the pictures.
  /// - Throws: `.invalidInput` where the list is shorter, or longer.
  func part(
    _ number: Int,
    _ start: Int,
    _ count: Int,
    isLast: Bool
  ) throws(RelabelError) -> [Int] {
    guard let list = self[number] else {
      throw RelabelError(.invalidInput, "'\(path)' has no list \(number)")
    }
    guard start + count <= list.count, !isLast || start + count == list.count else {
      throw RelabelError(
        .invalidInput,
        "list \(number) of '\(path)' has \(list.count) pictures, the batches \(start + count)"
      )
    }
    return list.dropFirst(start).prefix(count).map { Int($0) }
  }

  /// Reads a JSON object of lists.
  ///
  /// - Throws: `.invalidInput` for another document, `.unsafeInput` for a very long one, `.io`.
  init(json path: String) throws(RelabelError) {
    self.path = path
    let file = try OpenFile(reading: path)
    // Two bytes a number at least; memory that is not written to is not taken.
    numbers.reserveCapacity(min(file.size / 2 + 1, Self.maximumNumbers))
    do throws(RelabelError) {
      var scanner = IndexScanner(StreamBytes(file))
      while let (name, values) = try scanner.next(into: &numbers, Self.maximumNumbers) {
        try note(name, values)
      }
    } catch {
      throw error.located(Location(file: path))
    }
  }

  /// Reads a dictionary of lists that `torch.save` wrote.
  ///
  /// - Throws: as for JSON.
  init(torch path: String) throws(RelabelError) {
    self.path = path
    do throws(RelabelError) {
      let file = try ListFile(path)
      guard case .dictionary(let members) = file.value else { throw Self.unlike }
      try file.finish()
      for place in stride(from: 0, to: members.count, by: 2) {
        let start = numbers.count
        switch members[place + 1] {
        case .integers(let list): numbers += list
        case .list(let list):
          for item in list {
            guard case .int(let value) = item, let number = Int32(exactly: value) else {
              throw Self.unlike
            }
            numbers.append(number)
          }
        default: throw Self.unlike
        }
        switch members[place] {
        case .string(let name): try note(name, start..<numbers.count)
        case .int(let number): try note("\(number)", start..<numbers.count)
        default: throw Self.unlike
        }
      }
      guard numbers.allSatisfy({ $0 >= 0 }) else { throw Self.unlike }
    } catch {
      throw error.located(Location(file: path))
    }
  }

  private mutating func note(_ name: String, _ range: Range<Int>) throws(RelabelError) {
    guard let number = name.plainNumber else { throw Self.unlike }
    guard ranges.updateValue(range, forKey: number) == nil else {
      throw RelabelError(.invalidInput, "the file has the list \(number) twice")
    }
  }

  fileprivate static var unlike: RelabelError {
    RelabelError(.invalidInput, "this is not an object of numbered lists of picture numbers")
  }
}

/// Reads `{"0": [6, 15, …], …}` piece by piece.
private struct IndexScanner {
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
