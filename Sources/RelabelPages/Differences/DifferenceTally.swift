internal import Relabel

/// What was found in some of the images that both datasets have.
struct DifferenceTally: Sendable {
  /// Images that were compared.
  private(set) var images = 0
  var cells = CellDifference()
  var targets = TargetDifference()
  /// Cells whose best class is another.
  var movedCells = MovedClasses()
  /// Images whose most probable class over the whole map is another.
  var movedImages = MovedClasses()
  /// Images whose maps cover different parts of the picture.
  var otherExtents: NameList
  /// Views that differ in crop, flip, mix or place in a training.
  var otherViews: NameList
  private(set) var changed: ChangedImages

  init(_ options: DifferenceOptions) {
    otherExtents = NameList(listed: options.listed)
    otherViews = NameList(listed: options.listed)
    changed = ChangedImages(listed: options.listed)
  }

  mutating func add(_ image: ChangedImage) {
    images += 1
    changed.add(image)
  }

  static func += (sum: inout Self, other: Self) {
    sum.images += other.images
    sum.cells += other.cells
    sum.targets += other.targets
    sum.movedCells += other.movedCells
    sum.movedImages += other.movedImages
    sum.otherExtents += other.otherExtents
    sum.otherViews += other.otherViews
    sum.changed += other.changed
  }
}

/// How many rows there are of a kind, and the names of the first.
struct NameList: Sendable {
  private let listed: Int
  private(set) var count = 0
  private(set) var names: [RowName] = []

  init(listed: Int) { self.listed = listed }

  /// A list that is complete.
  init(count: Int, names: [RowName]) {
    (self.count, self.names, listed) = (count, names, names.count)
  }

  mutating func add(_ name: RowName) {
    count += 1
    if names.count < listed { names.append(name) }
  }

  static func += (sum: inout Self, other: Self) {
    sum.count += other.count
    sum.names += other.names.prefix(max(0, sum.listed - sum.names.count))
  }

  var json: JSON {
    .object(["count": .integer(Int64(count)), "first": .array(names.map(\.json))])
  }
}
