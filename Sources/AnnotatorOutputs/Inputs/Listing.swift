import Glibc
import Relabel

/// Gives every image its index and sorts out what doesn't go together.
struct Listing {
  private(set) var images: [PendingImage] = []
  private(set) var unmatched: [String] = []
  let traits: SourceTraits

  /// Takes the images out of `gathering`.
  init(_ gathering: inout Gathering) throws(RelabelError) {
    let options = gathering.options
    let list: ImageList?
    if let lines = options.imageList { list = try ImageList(lines) } else { list = nil }
    // There may be millions: the one array is moved from hand to hand and changed in place.
    var found: [PendingImage] = []
    swap(&found, &gathering.images)
    if let list, !gathering.batches.isEmpty, found.allSatisfy(\.entry.isFailing) {
      // Which lines a broken batch would have taken can't be known.
      if case .failure(let error) = found.first?.entry.payload { throw error }
      images = try Self.batches(gathering.batches, list)
    } else {
      for batch in gathering.batches { found += batch.keyed }
      Self.sort(&found)
      Self.failDuplicates(&found)
      images = found
    }
    found = []
    let first = images.lazy.compactMap(\.entry.denseClasses).first
    for place in images.indices {
      images[place].entry = images[place].entry.checked(given: options.numClasses, first: first)
    }
    traits = try Self.traits(images.lazy.map(\.entry), options)
    if let list, images.first?.imageIndex == -1 {
      place(in: list)
    } else {
      for place in images.indices { images[place].imageIndex = Int64(place) }
    }
  }

  /// Rows of batches take the lines of the list in order.
  private static func batches(
    _ batches: [Gathering.Batch],
    _ list: ImageList
  ) throws(RelabelError) -> [PendingImage] {
    let entries = batches.flatMap(\.entries)
    guard entries.count == list.keys.count else {
      throw RelabelError(
        .usage,
        "the image list has \(list.keys.count) lines, the batches hold \(entries.count) maps;"
          + " give one line for each map, in order"
      )
    }
    return zip(list.keys, entries).map { PendingImage(key: $0, imageIndex: 0, entry: $1) }
  }

  /// Puts the images in the order of their lines; those without one fail and come last.
  private mutating func place(in list: ImageList) {
    var isMatched = [Bool](repeating: false, count: list.keys.count)
    for place in images.indices {
      if let line = list.line(of: images[place].key) {
        images[place].imageIndex = Int64(line)
        isMatched[line] = true
      } else if !images[place].entry.isFailing {
        let error = ImageList.missing(images[place].key)
        images[place].entry = .failing(error, at: images[place].entry.place)
      }
    }
    images.sort { a, b in
      // Those without a line have -1, the largest number without a sign.
      let (x, y) = (UInt64(bitPattern: a.imageIndex), UInt64(bitPattern: b.imageIndex))
      return x == y ? Self.compare(a.key, b.key) < 0 : x < y
    }
    unmatched = zip(list.lines, isMatched).filter { !$0.1 }.map(\.0)
  }

  /// Sorts by key; images with an invalid key fail.
  private static func sort(_ images: inout [PendingImage]) {
    images.sort { a, b in
      let sign = compare(a.key, b.key)
      return sign == 0 ? a.source < b.source : sign < 0
    }
    for place in images.indices where !images[place].entry.isFailing {
      guard let fault = ImageKey.fault(images[place].key) else { continue }
      let error = RelabelError(.invalidInput, fault)
      images[place].entry = .failing(error, at: images[place].entry.place)
    }
  }

  /// Less than, equal to or greater than 0, as the UTF-8 bytes of `a` are to those of `b`.
  private static func compare(_ a: String, _ b: String) -> Int {
    let sign = a.utf8.withContiguousStorageIfAvailable { a in
      b.utf8.withContiguousStorageIfAvailable { b -> Int in
        guard let x = a.baseAddress, let y = b.baseAddress else { return a.count - b.count }
        let sign = memcmp(x, y, min(a.count, b.count))
        return sign == 0 ? a.count - b.count : Int(sign)
      }
    }
    if let sign = sign ?? nil { return sign }
    return ImageKey.precedes(a, b) ? -1 : (ImageKey.precedes(b, a) ? 1 : 0)
  }

  /// Leaves one image for each key; where there were several, it fails and names two of them.
  private static func failDuplicates(_ images: inout [PendingImage]) {
    var kept = 0
    var start = 0
    while start < images.count {
      var end = start + 1
      while end < images.count, compare(images[end].key, images[start].key) == 0 { end += 1 }
      if start != kept { images.swapAt(kept, start) }
      if end > start + 1 {
        let error = duplicate(images[kept].source, images[start + 1].source)
        images[kept].entry = .failing(error, at: images[kept].entry.place)
      }
      kept += 1
      start = end
    }
    images.removeSubrange(kept...)
  }

  /// What an image with two sources fails with.
  static func duplicate(_ first: String, _ second: String) -> RelabelError {
    RelabelError(
      .invalidInput,
      first == second
        ? "'\(first)' is there twice; keep one of them"
        : "'\(first)' and '\(second)' give the same key; keep one of them"
    )
  }

  /// What the images settle together.
  static func traits(
    _ entries: some Sequence<Entry>,
    _ options: InputOptions
  ) throws(RelabelError) -> SourceTraits {
    var kind: ScoreKind?
    var classes: Int?
    var (hasTorch, hasOther) = (false, false)
    for entry in entries where !entry.isFailing {
      if entry.isTorch { hasTorch = true } else { hasOther = true }
      if classes == nil { classes = entry.denseClasses }
      // What a .pt file holds is only a convention that the user may overrule.
      guard let found = entry.isTorch ? options.scoreKind ?? .logit : entry.scoreKind else {
        continue
      }
      if let kind, kind != found {
        throw RelabelError(
          .usage,
          "the inputs hold scores of the kinds '\(kind.rawValue)' and '\(found.rawValue)'; pack them"
            + " into datasets of their own"
        )
      }
      kind = found
    }
    return SourceTraits(
      scoreKind: kind,
      numClasses: classes ?? (hasTorch ? ReLabelTensor.classes : nil),
      isReLabelDialect: hasTorch && !hasOther
    )
  }
}
