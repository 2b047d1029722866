internal import Relabel

/// An image whose labels changed.
struct ChangedImage: Sendable {
  /// Rows in A and B.
  let rowA: Int
  let rowB: Int
  let name: RowName
  /// Mean over its crops; of the whole map where there are none.
  let halfL1: Double
  /// Entries that only one map has; nil where cells were not compared.
  let entries: Int?
  let highestScore: Double?
  /// The most probable classes of the whole map; nil for maps with no part of the picture in common.
  let best: MovedClasses.Pair?

  /// True where there is something to see.
  var isChanged: Bool { halfL1 > 0 || (entries ?? 0) > 0 || (highestScore ?? 0) > 0 || best == nil }

  /// True for an image that is listed before another.
  fileprivate func precedes(_ other: ChangedImage) -> Bool {
    if halfL1 != other.halfL1 { return halfL1 > other.halfL1 }
    if entries ?? 0 != other.entries ?? 0 { return entries ?? 0 > other.entries ?? 0 }
    if highestScore ?? 0 != other.highestScore ?? 0 {
      return highestScore ?? 0 > other.highestScore ?? 0
    }
    return rowA < other.rowA
  }
}

/// The images that changed most.
struct ChangedImages: Sendable {
  private let listed: Int
  private var images: [ChangedImage] = []

  init(listed: Int) { self.listed = listed }

  mutating func add(_ image: ChangedImage) {
    guard image.isChanged else { return }
    images.append(image)
    // Room for as many again, so that most images are not sorted in one by one.
    if images.count > 2 * listed { trim() }
  }

  static func += (sum: inout Self, other: Self) {
    for image in other.images { sum.add(image) }
  }

  private mutating func trim() {
    images.sort { $0.precedes($1) }
    images.removeLast(max(0, images.count - listed))
  }

  /// The images, most changed first.
  var sorted: [ChangedImage] {
    Array(images.sorted { $0.precedes($1) }.prefix(listed))
  }
}
