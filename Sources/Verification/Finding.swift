public import Relabel

/// A broken rule: what is wrong, where first, and how often.
public struct Finding: Hashable, Sendable {
  /// The rule.
  public let rule: Rule
  /// What is wrong, with the value found first.
  public let message: String
  /// The first place.
  public var location: Location
  /// How many places.
  public var count: Int
}

/// The findings of one file while it is being checked: repeats are counted, not listed.
package struct Tally: Sendable {
  private var order: [Key] = []
  private var violations: [Key: (first: Violation, count: Int)] = [:]

  private struct Key: Hashable {
    let rule: String
    let file: String?
    let dataset: String?
  }

  package init() {}

  package mutating func add(_ violation: Violation, count: Int = 1) {
    let place = violation.location
    let key = Key(rule: violation.rule, file: place.file, dataset: place.dataset)
    if let earlier = violations[key] {
      violations[key] = (earlier.first, earlier.count + count)
    } else {
      order.append(key)
      violations[key] = (violation, count)
    }
  }

  /// Adds the violations of `other`, which come after those already here.
  package mutating func add(_ other: Tally) {
    for key in other.order {
      if let (first, count) = other.violations[key] { add(first, count: count) }
    }
  }

  /// The same violations at places that `change` has completed.
  package func mapLocations(_ change: (Location) -> Location) -> Tally {
    var changed = Tally()
    for key in order {
      guard let (first, count) = violations[key] else { continue }
      let place = change(first.location)
      changed.add(Violation(first.rule, first.message, at: place), count: count)
    }
    return changed
  }

  /// The findings in the order of their first appearance, without the rules switched off.
  package func findings(in file: String, ignoring ignored: Set<String>) -> [Finding] {
    order.compactMap { key in
      guard let (first, count) = violations[key], !ignored.contains(key.rule),
        let rule = Rule.with(id: key.rule)
      else { return nil }
      return Finding(
        rule: rule,
        message: first.message,
        location: first.location.filled(from: Location(file: file)),
        count: count
      )
    }
  }
}
