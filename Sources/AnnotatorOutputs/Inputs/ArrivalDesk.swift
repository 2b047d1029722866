import Relabel

/// What every image passes that arrives: it gets its place in the listing, and its key is compared with those
/// before.
struct ArrivalDesk {
  private let isStripping: Bool
  /// The images of views that have come; nil where rows are images.
  private var views: ArrivedViews?
  private var admission: Admission
  private var arrived: Int64 = 0
  private var sources: KeyTable
  private var isListed: [Bool]

  /// Images that came again as equal copies.
  private(set) var copies: [String] = []

  /// Images that an earlier run has packed and that have not come again.
  private(set) var awaited = 0
  /// Why the keys can't be kept any more: nothing that was admitted since is worth anything.
  private(set) var failure: RelabelError?

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
    sources = KeyTable(directory: options.spoolDirectory)
    isListed = [Bool](repeating: false, count: options.imageList?.count ?? 0)
  }

  /// Trusts the source that no view comes twice, and drops what an earlier run has packed.
  mutating func takesViewsAsCounted() { views?.areCounted = true }

  /// Lines of the image list that no image has arrived for yet.
  var unmatchedListLines: [String] {
    guard let list = admission.list else { return [] }
    return zip(list.lines, isListed).filter { !$0.1 }.map(\.0)
  }

  /// Gives an image its index; nil for an equal copy of one that has come, and for one that is packed.
  mutating func admit(_ arrival: Arrival) -> PendingImage? {
    if views != nil { return admitView(arrival) }
    do throws(RelabelError) {
      return try admitted(arrival)
    } catch {
      failure = failure ?? error
      return nil
    }
  }

  private mutating func admitted(_ arrival: Arrival) throws(RelabelError) -> PendingImage? {
    let (key, found) = (arrival.key, arrival.entry)
    let source = KeyTable.Entry(place: found.place, digest: isStripping ? found.digest : nil)
    var earlier = try sources.update(key, source)
    if let packed = earlier, packed.packedIndex >= 0 {
      awaited -= 1
      earlier = nil
      if try isPacked(key, packed.packedIndex, source: packed.place) { return nil }
    }
    if let earlier, let digest = earlier.digest, digest == source.digest,
      earlier.place.description(key: key) != found.place.description(key: key)
    {
      copies.append(EqualCopy.words(of: found.place, and: earlier.place, key: key))
      return nil
    }
    return try admitted(arrival, after: earlier?.place)
  }

  private mutating func admitted(
    _ arrival: Arrival,
    after earlier: Place?
  ) throws(RelabelError) -> PendingImage {
    let (key, found) = (arrival.key, arrival.entry)
    var entry = admission.check(key, found, duplicate: earlier.map { ($0, found.place) })
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

  /// True for an image that an earlier run has packed and that comes again at its place.
  private mutating func isPacked(
    _ key: String,
    _ index: Int64,
    source: Place
  ) throws(RelabelError) -> Bool {
    guard admission.list == nil else { return true }
    guard index == arrived else {
      throw RelabelError(
        .usage,
        "the input is not that of the earlier run, which packed this image as image \(index), and now it is image"
          + " \(arrived); go on with the same input, or pack everything again with --overwrite",
        at: Location(file: source.description(key: key), key: key)
      )
    }
    arrived += 1
    return true
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
  ///   - rows: what the run has made of them.
  ///   - comingAgain: true for input that is read from its beginning once more; false where only images behind them
  ///     come.
  /// - Throws: `.usage` where the image list is another one by now, `.io`.
  mutating func note(
    _ rows: PackedRows,
    comingAgain: Bool = false
  ) throws(RelabelError) {
    for row in rows.rows {
      if views != nil {
        views?.note(row)
      } else {
        try note(row.key, row.imageIndex, in: rows.shard, comingAgain)
      }
    }
  }

  private mutating func note(
    _ key: String,
    _ index: Int64,
    in shard: String,
    _ comingAgain: Bool
  ) throws(RelabelError) {
    let entry = KeyTable.Entry(
      place: .path(shard),
      digest: nil,
      packedIndex: comingAgain ? index : -1
    )
    _ = try sources.update(key, entry)
    var failing = Entry.failing(RelabelError(.internalFault, "it is packed"), at: .path(shard))
    if admission.list != nil {
      guard let line = admission.line(of: key, &failing), Int64(line) == index else {
        throw RelabelError(
          .usage,
          "the image list is not that of the earlier run, which packed this image as image \(index);"
            + " go on with that list, or pack everything again",
          at: Location(file: shard, key: key)
        )
      }
      isListed[line] = true
    }
    if comingAgain { awaited += 1 } else { arrived += 1 }
  }
}
