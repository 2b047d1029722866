package import Relabel

/// The pictures below some folders: 16 bytes for each, whatever the length of their names.
package struct PictureIndex: Sendable {
  /// The pictures of a key.
  enum Match: Hashable {
    case none
    case one(path: String)
    /// More than one picture has this key.
    case several
  }

  private struct Entry: Sendable {
    let hash: UInt64
    let root: UInt16
    let ending: UInt16
    /// True when an image of the dataset has asked for it, or one that was left out.
    var isKnown = false
  }

  private let roots: [String]
  private var endings: [String] = []
  /// In the order of hashes.
  private var entries: [Entry] = []
  /// The folders, for people.
  package var folders: String { roots.joined(separator: ", ") }
  /// Files below the folders that are not pictures.
  private(set) var passedOver = 0
  /// Pictures below the folders.
  var count: Int { entries.count }

  /// Lists folders.
  ///
  /// - Throws: `.io` naming a folder that can't be listed.
  /// - Complexity: O(n log n); one listing for each folder.
  package init(_ folders: [String]) throws(RelabelError) {
    roots = folders.map { $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    var places: [String: UInt16] = [:]
    for (number, root) in roots.enumerated() {
      passedOver += try PictureTree.walk(root) { picture in
        let ending = String(decoding: picture.ending, as: UTF8.self)
        let place = places[ending] ?? UInt16(places.count)
        places[ending] = place
        entries.append(
          Entry(hash: KeyFingerprint.of(picture.key), root: UInt16(number), ending: place)
        )
      }
    }
    endings = places.sorted { $0.value < $1.value }.map(\.key)
    entries.sort { ($0.hash, $0.root, $0.ending) < ($1.hash, $1.root, $1.ending) }
  }

  /// The pictures of an image's key, which are known from now on.
  mutating func match(_ key: String) -> Match {
    let places = places(ofHash: KeyFingerprint.of(key.utf8))
    for place in places { entries[place].isKnown = true }
    if places.count > 1 { return .several }
    return places.first.map { .one(path: path($0, key)) } ?? .none
  }

  /// Makes pictures known that need no image.
  mutating func excuse(_ key: String) { _ = match(key) }

  /// The path of the one picture that a key has, or nil.
  package func path(ofKey key: String) -> String? {
    let places = places(ofHash: KeyFingerprint.of(key.utf8))
    return places.count == 1 ? path(places.lowerBound, key) : nil
  }

  private func path(_ place: Int, _ key: String) -> String {
    "\(roots[Int(entries[place].root)])/\(key)\(endings[Int(entries[place].ending)])"
  }

  private func places(ofHash hash: UInt64) -> Range<Int> {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].hash < hash { low = middle + 1 } else { high = middle }
    }
    let end = entries[low...].firstIndex { $0.hash != hash } ?? entries.count
    return low..<end
  }
}

extension PictureIndex {
  /// Pictures that belong to no image: how many, and the path of the first.
  ///
  /// - Throws: `.io` when the folders can't be listed again, which is how the path is found.
  func unknown() throws(RelabelError) -> (count: Int, first: String)? {
    let count = entries.count { !$0.isKnown }
    guard count > 0, let first = try path(where: { !entries[$0.lowerBound].isKnown }) else {
      return nil
    }
    return (count, first)
  }

  /// Pictures beyond the first that a known key has: how many, and the path of one.
  ///
  /// - Throws: as `unknown()`.
  func superfluous() throws(RelabelError) -> (count: Int, first: String)? {
    let count = zip(entries, entries.dropFirst()).count { $0.isKnown && $0.hash == $1.hash }
    guard count > 0,
      let first = try path(where: { $0.count > 1 && entries[$0.lowerBound].isKnown })
    else { return nil }
    return (count, first)
  }

  /// The path of the first picture, in the order of names, whose entries are as asked.
  private func path(where isWanted: (Range<Int>) -> Bool) throws(RelabelError) -> String? {
    var first: String?
    for root in roots where first == nil {
      _ = try PictureTree.walk(root) { picture in
        guard first == nil else { return }
        let places = places(ofHash: KeyFingerprint.of(picture.key))
        if !places.isEmpty, isWanted(places) {
          first = "\(root)/" + String(decoding: picture.key + picture.ending, as: UTF8.self)
        }
      }
    }
    return first
  }
}

/// A hash of an image key, seeded anew in each process: nobody makes two keys collide on purpose.
package enum KeyFingerprint {
  package static func of(_ key: some Collection<UInt8>) -> UInt64 {
    var hasher = Hasher()
    for byte in key { hasher.combine(byte) }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
