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

  /// What another document is refused with.
  static var unlike: RelabelError {
    RelabelError(.invalidInput, "this is not an object of numbered lists of picture numbers")
  }
}
