import Relabel

/// The images whose views have arrived, and the places of those that come from a program.
///
/// Takes what a key takes for each image, and 16 bytes for each view.
struct ArrivedViews {
  private let viewPlace: Int?
  private var indexes: [ImageKey.Exact: Int64] = [:]
  private var seen: Set<SIMD2<UInt64>> = []
  /// True where the source counts the views of each image itself, and comes from its start when a run goes on.
  var areCounted = false
  /// Views of an earlier run that are still to come again.
  private var packed = 0

  /// - Parameter columns: the values that arrivals bring, in their order.
  init(_ columns: [Layout.Column]) {
    viewPlace = columns.firstIndex { $0.name == Layout.view }
  }

  /// The index of an image: `known`, or that of its first view, or the next.
  ///
  /// - Throws: `.invalidInput` for a view that came before.
  mutating func index(
    of key: String,
    _ known: Int64?,
    _ facts: [[UInt8]]
  ) throws(RelabelError) -> Int64 {
    if !areCounted, let viewPlace, viewPlace < facts.count {
      let number = ViewValues.numbers(facts[viewPlace][...], Int32.self)[0]
      guard seen.insert(Self.digest(key, number)).inserted else {
        throw RelabelError(.invalidInput, "view \(number) of the image has come before")
      }
    }
    if let known { return known }
    if let index = indexes[ImageKey.Exact(key)] { return index }
    let index = Int64(indexes.count)
    indexes[ImageKey.Exact(key)] = index
    return index
  }

  private static func digest(_ key: String, _ number: Int32) -> SIMD2<UInt64> {
    var digest = SIMD2<UInt64>()
    for half in 0..<2 {
      var hasher = Hasher()
      hasher.combine(half)
      hasher.combine(ImageKey.Exact(key))
      hasher.combine(number)
      digest[half] = UInt64(bitPattern: Int64(hasher.finalize()))
    }
    return digest
  }

  /// True for a view that an earlier run has packed, one after the other.
  mutating func wasPacked() -> Bool {
    guard packed > 0 else { return false }
    packed -= 1
    return true
  }

  /// Notes a view that an earlier run has packed.
  mutating func note(_ view: PackedRows.Row) {
    if areCounted {
      packed += 1
      return
    }
    indexes[ImageKey.Exact(view.key)] = view.imageIndex
    if let number = view.view { seen.insert(Self.digest(view.key, number)) }
  }
}
