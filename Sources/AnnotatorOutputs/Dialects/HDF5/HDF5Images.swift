import Relabel

/// The arrays of images that have one or two each.
struct HDF5Images {
  /// The group below which the arrays lie; empty for the root.
  let group: String
  /// The arrays of scores.
  let scores: [Int]
  /// The class ids of each; empty for scores of all classes.
  private(set) var ids: [Int] = []
  /// True where the last step of a path says what the array is, and the key lies before it.
  private(set) var endsInRole = false

  /// Scores of all classes, whose paths are keys.
  init(below group: String, scores: [Int]) { (self.group, self.scores) = (group, scores) }

  /// Arrays below the groups that the user names; nil where there are none below the first.
  ///
  /// - Throws: `.usage` where scores and class ids don't go together.
  init?(below group: String, _ ids: String?, _ listing: HDF5Listing) throws(RelabelError) {
    let names = listing.names
    let scores = names.places(beginning: group + "/")
    guard !scores.isEmpty else { return nil }
    guard let ids else {
      // The group may hold a group for each image, with its scores and ids.
      let named = try HDF5Images(named: scores, below: group, listing)
      self = named ?? HDF5Images(below: group, scores: scores)
      return
    }
    self.init(below: group, scores: names.sorted(scores))
    self.ids = names.sorted(names.places(beginning: ids + "/"))
    let areAlike =
      self.ids.count == scores.count
      && zip(self.scores, self.ids).allSatisfy {
        names.utf8($0).dropFirst(group.utf8.count)
          .elementsEqual(names.utf8($1).dropFirst(ids.utf8.count))
      }
    guard areAlike else {
      throw RelabelError(
        .usage,
        "--array: '\(group)' has \(scores.count) arrays and '\(ids)' \(self.ids.count), and they don't have the same"
          + " names"
      )
    }
  }

  /// Arrays that are named for what they are: `KEY/score` and `KEY/ids`, or `KEY/logits`; nil where there are none.
  ///
  /// - Throws: `.invalidInput` for scores without class ids, or the other way around.
  init?(named places: [Int], below group: String, _ listing: HDF5Listing) throws(RelabelError) {
    var (scores, ids, isSparse, others) = ([Int](), [Int](), false, 0)
    let sorted = listing.names.sorted(places)
    for place in sorted {
      let parts = Self.parts(of: listing.name(place))
      guard parts.key.utf8.count > group.utf8.count else { continue }
      if ArrayRoles.ids.contains(parts.role) {
        others += 1
      } else if ArrayRoles.dense[parts.role] != nil {
        scores.append(place)
      } else if ArrayRoles.scores.contains(parts.role) {
        scores.append(place)
        isSparse = true
        let words = ArrayRoles.ids.lazy.map { "\(parts.key)/\($0)" }
        if let found = words.compactMap({ listing.names.place(of: $0, in: sorted) }).first {
          ids.append(found)
        }
      }
    }
    guard !scores.isEmpty else { return nil }
    guard isSparse ? ids.count == scores.count && others == ids.count : others == 0 else {
      throw RelabelError(
        .invalidInput,
        "of \(scores.count) images with scores \(ids.count) have class ids, and \(others) arrays are named for class"
          + " ids: every image needs both, or scores of all classes alone"
      )
    }
    self.init(below: group, scores: scores)
    (self.ids, endsInRole) = (ids, true)
  }

  /// The key that the path of an array says, before its extension is taken off.
  func key(_ place: Int, _ listing: HDF5Listing) -> String {
    let name = listing.name(place)
    let way = endsInRole ? Self.parts(of: name).key : name
    return group.isEmpty
      ? way : String(decoding: way.utf8.dropFirst(group.utf8.count + 1), as: UTF8.self)
  }

  /// What the array at a path is of, and what it is of that: names of datasets may have dots.
  private static func parts(of name: String) -> (key: String, role: String) {
    let parts = ArrayRoles.parts(of: name)
    return name.utf8.dropFirst(parts.key.utf8.count).first == UInt8(ascii: "/") ? parts : (name, "")
  }
}
