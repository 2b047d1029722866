import Relabel

/// What every image passes that arrives: it gets its place in the listing, and its key is compared with those
/// before.
struct ArrivalDesk {
  private let isStripping: Bool
  /// The images of views that have come; nil where rows are images.
  private var views: ArrivedViews?
  private var admission: Admission
  private var arrived: Int64 = 0
  private var sources: [ImageKey.Exact: Source] = [:]
  private var isListed: [Bool]

  /// Images that came again as equal copies.
  private(set) var copies: [String] = []

  /// Where a key has come from.
  private struct Source {
    let place: Place
    /// The digest of its bytes, where keys may meet that were two paths in the archive.
    let digest: String?
  }

  /// - Parameters:
  ///   - options: what the user said.
  ///   - columns: the values that arrivals bring, where these are views.
  /// - Throws: `.usage` for an image list that is wrong.
  init(_ options: InputOptions, viewColumns columns: [Layout.Column]? = nil) throws(RelabelError) {
    views = columns.map(ArrivedViews.init)
    let list: ImageList?
    if let lines = options.imageList { list = try ImageList(lines) } else { list = nil }
    admission = Admission(options, list)
    isStripping = options.stripComponents > 0
    isListed = [Bool](repeating: false, count: options.imageList?.count ?? 0)
  }

  /// Trusts the source that no view comes twice, and drops what an earlier run has packed.
  mutating func takesViewsAsCounted() { views?.areCounted = true }

  /// Lines of the image list that no image has arrived for yet.
  var unmatchedListLines: [String] {
    guard let list = admission.list else { return [] }
    return zip(list.lines, isListed).filter { !$0.1 }.map(\.0)
  }

  /// Gives an image its index; nil for an equal copy of one that has come.
  mutating func admit(_ arrival: Arrival) -> PendingImage? {
    if views != nil { return admitView(arrival) }
    let (key, found) = (arrival.key, arrival.entry)
    let source = Source(place: found.place, digest: isStripping ? found.digest : nil)
    let earlier = sources.updateValue(source, forKey: ImageKey.Exact(key))
    if let earlier, let digest = earlier.digest, digest == source.digest,
      earlier.place.description(key: key) != found.place.description(key: key)
    {
      copies.append(EqualCopy.words(of: found.place, and: earlier.place, key: key))
      return nil
    }
    var entry = admission.check(key, found, duplicate: earlier.map { ($0.place, found.place) })
    let line = admission.line(of: key, &entry)
    if let line { isListed[line] = true }
    let index = admission.list == nil ? arrived : Int64(line ?? -1)
    arrived += 1
    return PendingImage(key: key, imageIndex: index, entry: entry, facts: arrival.facts)
  }

  /// Gives the image of a view its index: that of its line, or its own, or the next.
  private mutating func admitView(_ arrival: Arrival) -> PendingImage? {
    let key = arrival.key
    var entry = admission.check(key, arrival.entry)
    let line = admission.line(of: key, &entry)
    if let line { isListed[line] = true }
    let known = admission.list == nil ? arrival.imageIndex : Int64(line ?? -1)
    arrived += 1
    if !entry.isFailing, views?.wasPacked() == true { return nil }
    var index: Int64 = -1
    do throws(RelabelError) {
      index = try views?.index(of: key, known, arrival.facts) ?? -1
    } catch {
      if !entry.isFailing { entry = .failing(error, at: arrival.entry.place) }
    }
    return PendingImage(key: key, imageIndex: index, entry: entry, facts: arrival.facts)
  }

  /// An image in the place of something that can't be read at all.
  mutating func fail(_ error: RelabelError, at path: String) -> PendingImage {
    let index = admission.list == nil ? arrived : -1
    arrived += 1
    let entry = Entry.failing(error, at: .path(path))
    return PendingImage(key: InputPath.key(of: path), imageIndex: index, entry: entry)
  }

  /// Notes images that an earlier run has packed.
  ///
  /// - Parameters:
  ///   - keys: their keys.
  ///   - indexes: their places in the listing of that run.
  ///   - shard: the file that holds them.
  /// - Throws: `.usage` where the image list is another one by now.
  mutating func note(
    _ keys: [String],
    _ indexes: [Int64],
    in shard: String
  ) throws(RelabelError) {
    for (key, index) in zip(keys, indexes) {
      if views != nil { views?.note(key, index) } else { try note(key, index, in: shard) }
    }
  }

  private mutating func note(
    _ key: String,
    _ index: Int64,
    in shard: String
  ) throws(RelabelError) {
    sources[ImageKey.Exact(key)] = Source(place: .path(shard), digest: nil)
    var entry = Entry.failing(RelabelError(.internalFault, "it is packed"), at: .path(shard))
    if admission.list != nil {
      guard let line = admission.line(of: key, &entry), Int64(line) == index else {
        throw RelabelError(
          .usage,
          "the image list is not that of the earlier run, which packed this image as image \(index);"
            + " go on with that list, or pack everything again",
          at: Location(file: shard, key: key)
        )
      }
      isListed[line] = true
    }
    arrived += 1
  }
}
