/// Many names in little memory: their bytes one behind the other, and where each ends.
package struct NameTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  package init() {}

  package init(_ names: [String]) { for name in names { append(name) } }

  package var count: Int { ends.count }

  package mutating func append(_ name: String) {
    bytes += name.utf8
    ends.append(bytes.count)
  }

  package subscript(place: Int) -> String { String(decoding: utf8(place), as: UTF8.self) }

  /// The bytes of a name.
  func utf8(_ place: Int) -> ArraySlice<UInt8> {
    bytes[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
  }

  /// The place of a name, or nil.
  func firstIndex(of name: String) -> Int? {
    let wanted = Array(name.utf8)
    return ends.indices.first {
      let found = utf8($0)
      return found.count == wanted.count && found.elementsEqual(wanted)
    }
  }

  /// Where the names are that begin so.
  func places(beginning prefix: String) -> [Int] {
    let wanted = Array(prefix.utf8)
    return ends.indices.filter { utf8($0).starts(with: wanted) }
  }

  /// The places in the order of the bytes of their names.
  func sorted(_ places: [Int]) -> [Int] {
    places.sorted { utf8($0).lexicographicallyPrecedes(utf8($1)) }
  }

  /// The place of a name among sorted ones, or nil.
  func place(of name: String, in sorted: [Int]) -> Int? {
    let wanted = Array(name.utf8)
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if utf8(sorted[middle]).lexicographicallyPrecedes(wanted) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < sorted.count && utf8(sorted[low]).elementsEqual(wanted) ? sorted[low] : nil
  }
}
