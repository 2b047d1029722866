import Relabel

/// Counts the views of each picture: 4 bytes for a numbered picture, and what its key takes for a named one.
struct ViewNumbers {
  /// The most pictures that are counted by their numbers alone.
  private static let dense = 1 << 24

  private var counts: [Int32] = []
  private var far: [Int: Int32] = [:]
  private var keyed: [ImageKey.Exact: (index: Int64, count: Int32)] = [:]

  /// The number of the next view of a picture.
  mutating func next(_ picture: Int) -> Int32 {
    guard picture < Self.dense else {
      defer { far[picture, default: 0] += 1 }
      return far[picture] ?? 0
    }
    if picture >= counts.count {
      counts += [Int32](repeating: 0, count: picture + 1 - counts.count)
    }
    defer { counts[picture] += 1 }
    return counts[picture]
  }

  /// The number of the next view of a picture with a name, and the picture's place among those that have come.
  mutating func next(_ key: String) -> (index: Int64, number: Int32) {
    let exact = ImageKey.Exact(key)
    let known = keyed[exact] ?? (index: Int64(keyed.count), count: 0)
    keyed[exact] = (known.index, known.count + 1)
    return (known.index, known.count)
  }
}
