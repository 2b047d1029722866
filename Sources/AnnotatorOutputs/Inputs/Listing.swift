import Glibc
import Relabel

/// Gives every image its index and sorts out what doesn't go together.
struct Listing {
  private(set) var images: [PendingImage] = []
  private(set) var unmatched: [String] = []
  let traits: SourceTraits

  init(_ gathering: Gathering) throws(RelabelError) {
    let list: ImageList?
    if let lines = gathering.options.imageList {
      list = try ImageList(lines)
    } else {
      list = nil
    }
    if let list, !gathering.batches.isEmpty, gathering.images.allSatisfy(\.entry.isFailing) {
      (images, traits) = try Self.batches(gathering, list)
      return
    }

    let found = Self.sorted(gathering.images + gathering.batches.flatMap(\.keyed))
    var unique = Self.unique(found)
    let first = unique.lazy.compactMap(\.entry.denseClasses).first
    for place in unique.indices {
      unique[place].entry = unique[place].entry.checked(
        given: gathering.options.numClasses,
        first: first
      )
    }
    traits = try Self.traits(unique.lazy.map(\.entry), gathering.options)
    guard let list else {
      images = unique.enumerated().map { place, image in
        PendingImage(key: image.key, imageIndex: Int64(place), entry: image.entry)
      }
      return
    }
    (images, unmatched) = Self.listed(unique, list)
  }

  /// Rows of batches take the lines of the list in order.
  private static func batches(
    _ gathering: Gathering,
    _ list: ImageList
  ) throws(RelabelError) -> ([PendingImage], SourceTraits) {
    // Which lines a broken batch would have taken can't be known.
    if let broken = gathering.images.first {
      if case .failure(let error) = broken.entry.payload { throw error }
    }
    var entries = gathering.batches.flatMap(\.entries)
    guard entries.count == list.keys.count else {
      throw RelabelError(
        .usage,
        "the image list has \(list.keys.count) lines, the batches hold \(entries.count) maps;"
          + " give one line for each map, in order"
      )
    }
    let first = entries.lazy.compactMap(\.denseClasses).first
    entries = entries.map { $0.checked(given: gathering.options.numClasses, first: first) }
    let images = zip(list.keys, entries).enumerated().map { place, image in
      PendingImage(key: image.0, imageIndex: Int64(place), entry: image.1)
    }
    return (images, try traits(entries.lazy.map(\.self), gathering.options))
  }

  /// The images in the order of their lines; those without one fail and come last.
  private static func listed(
    _ found: [(key: String, entry: Entry)],
    _ list: ImageList
  ) -> ([PendingImage], unmatched: [String]) {
    var place = [Int?](repeating: nil, count: list.keys.count)
    var missing: [PendingImage] = []
    for (number, image) in found.enumerated() {
      if let line = list.line(of: image.key) {
        place[line] = number
      } else {
        let entry =
          image.entry.isFailing
          ? image.entry : .failing(ImageList.missing(image.key), at: image.entry.place)
        missing.append(PendingImage(key: image.key, imageIndex: -1, entry: entry))
      }
    }
    var images: [PendingImage] = []
    var unmatched: [String] = []
    for (line, number) in place.enumerated() {
      if let number {
        let image = found[number]
        images.append(
          PendingImage(key: image.key, imageIndex: Int64(line), entry: image.entry)
        )
      } else {
        unmatched.append(list.lines[line])
      }
    }
    return (images + missing, unmatched)
  }

  /// The images in key order; those with an invalid key fail.
  private static func sorted(
    _ found: [(key: String, entry: Entry)]
  ) -> [(key: String, entry: Entry)] {
    // Sorting numbers moves less than sorting what they stand for.
    let order = found.indices.sorted { a, b in
      switch compare(found[a].key, found[b].key) {
      case 0:
        found[a].entry.place.description(key: found[a].key)
          < found[b].entry.place.description(key: found[b].key)
      case let sign: sign < 0
      }
    }
    return order.map { place in
      let image = found[place]
      guard !image.entry.isFailing, let fault = ImageKey.fault(image.key) else { return image }
      return (image.key, .failing(RelabelError(.invalidInput, fault), at: image.entry.place))
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

  /// One image for each key; where there were several, one that fails and names two of them.
  private static func unique(
    _ sorted: [(key: String, entry: Entry)]
  ) -> [(key: String, entry: Entry)] {
    var unique: [(key: String, entry: Entry)] = []
    unique.reserveCapacity(sorted.count)
    var start = 0
    while start < sorted.count {
      let image = sorted[start]
      var end = start + 1
      while end < sorted.count, compare(sorted[end].key, image.key) == 0 { end += 1 }
      if end == start + 1 {
        unique.append(image)
      } else {
        let names = [image, sorted[start + 1]].map { $0.entry.place.description(key: $0.key) }
        let error = Self.duplicate(names[0], names[1])
        unique.append((image.key, .failing(error, at: image.entry.place)))
      }
      start = end
    }
    return unique
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
