package import Relabel

/// The violations of one file while it is being checked: repeats are counted, not listed.
package struct Tally: Sendable {
  /// A rule broken in one HDF5 dataset or file: the first place, and how many more.
  package struct Entry: Hashable, Sendable {
    package var first: Violation
    /// Places.
    package var count: Int
    /// Different rows among the places.
    package var images: Int
    /// The row of the last place; rows are reported in ascending order.
    fileprivate var lastRow: Int?

    package init(_ first: Violation, count: Int = 1, images: Int? = nil) {
      self.first = first
      self.count = count
      lastRow = first.location.row
      self.images = images ?? (lastRow == nil ? 0 : 1)
    }
  }

  private struct Key: Hashable {
    let rule: Rule
    let file: String?
    let dataset: String?
  }

  /// In the order of their first appearance.
  package private(set) var entries: [Entry] = []
  private var places: [Key: Int] = [:]

  package init() {}

  /// True when nothing was reported.
  package var isEmpty: Bool { entries.isEmpty }

  package mutating func add(_ violation: Violation, count: Int = 1) {
    add(Entry(violation, count: count))
  }

  /// Adds the violations of `other`, whose rows come after those already here.
  package mutating func add(_ other: Tally) {
    for entry in other.entries { add(entry) }
  }

  package mutating func add(_ entry: Entry) {
    let location = entry.first.location
    let key = Key(rule: entry.first.rule, file: location.file, dataset: location.dataset)
    guard let place = places[key] else {
      places[key] = entries.count
      entries.append(entry)
      return
    }
    let isSameRow = location.row != nil && location.row == entries[place].lastRow
    entries[place].count += entry.count
    entries[place].images += entry.images - (isSameRow ? 1 : 0)
    entries[place].lastRow = entry.lastRow
  }

  /// The same violations at places that `change` has completed.
  package func mapLocations(_ change: (Location) -> Location) -> Tally {
    var changed = Tally()
    for var entry in entries {
      let first = entry.first
      entry.first = Violation(first.rule, first.message, at: change(first.location))
      changed.add(entry)
    }
    return changed
  }

  /// The findings in the order of their first appearance.
  package func findings(in file: String) -> [Finding] {
    entries.map { entry in
      Finding(
        rule: entry.first.rule,
        message: entry.first.message,
        location: entry.first.location.filled(from: Location(file: file)),
        count: entry.count,
        images: entry.images
      )
    }
  }
}
