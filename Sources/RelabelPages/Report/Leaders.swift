internal import Relabel

/// The few images that lead by some number; ties go to the earlier position.
struct Leaders: Sendable {
  /// An image that leads.
  struct Leader: Sendable {
    let position: Int
    let measures: ImageMeasures
    let value: Float
  }

  /// Best first.
  private(set) var leaders: [Leader] = []
  private let limit: Int
  /// True where one image stands for its best class, so that the images differ.
  private let isOnePerClass: Bool

  /// Room for `limit` images.
  init(_ limit: Int, isOnePerClass: Bool) {
    self.limit = limit
    self.isOnePerClass = isOnePerClass
    leaders.reserveCapacity(limit + 1)
  }

  /// Adds an image, which comes after those added before.
  mutating func add(_ position: Int, _ measures: ImageMeasures, by value: Float) {
    if leaders.count == limit, let last = leaders.last, value <= last.value { return }
    if isOnePerClass,
      let same = leaders.firstIndex(where: { $0.measures.best == measures.best })
    {
      if value <= leaders[same].value { return }
      leaders.remove(at: same)
    }
    let place = leaders.firstIndex { $0.value < value } ?? leaders.count
    leaders.insert(Leader(position: position, measures: measures, value: value), at: place)
    if leaders.count > limit { leaders.removeLast() }
  }
}
