import Relabel
internal import RelabelServer

extension Browser {
  /// Images on one page at most, and the cells of their maps: a page of larger maps shows them one by one.
  private static let (mostImages, mostCells) = (200, 1 << 19)
  /// Classes of an image that are listed.
  private static let classes = 3

  /// How far everything is, and what is marked.
  var state: JSON {
    let marks = marks?.marks
    let survey = maps.survey
    return .object([
      "images": .integer(Int64(maps.source.count)),
      "is_listed": .bool(maps.register != nil),
      "has_labels": .bool(maps.register?.labels.isEmpty == false),
      "measured": .integer(Int64(survey.measured)),
      "failure": .optional((maps.failure ?? survey.failure)?.description),
      "pictures": pictures.word,
      "marks": marks.map(Self.counts) ?? .null,
      "marks_file": .optional(self.marks.map { Folder.name(of: $0.path) }),
    ])
  }

  private static func counts(_ marks: ReviewMarks) -> JSON {
    var counts: [String: JSON] = ["all": .integer(Int64(marks.keys.count))]
    for verdict in ReviewMarks.Verdict.allCases {
      counts[verdict.rawValue] = .integer(Int64(marks.count(verdict)))
    }
    return .object(counts)
  }

  /// A page of images.
  func images(_ request: Request) throws(RelabelError) -> JSON {
    // Asked again in a moment; an error would stand in the browser's console.
    let selection = try Selection(request)
    let isReady = selection.isPlain ? maps.sourceOrder != nil : maps.register != nil
    if !isReady, maps.failure == nil { return .object(["is_waiting": .bool(true)]) }
    let marks = marks?.marks ?? ReviewMarks()
    let positions = try maps.positions(selection, marks)
    let from = min(request.number("from") ?? 0, positions.count)
    let count = min(request.number("count") ?? 24, Self.mostImages, positions.count - from)
    let shown = positions[from..<from + count].map { Int($0) }
    let withMaps = shown.count * maps.header.shape.cells <= Self.mostCells
    let document = try document(of: shown, marks, withMaps: withMaps)
    return .object([
      "total": .integer(Int64(positions.count)), "from": .integer(Int64(from)),
      "images": .array(document.images), "names": document.names,
    ])
  }

  /// One image with all of its map, and that of the other dataset, as the page of one image has them.
  func image(_ request: Request) throws(RelabelError) -> JSON {
    let (marks, position) = (marks?.marks ?? ReviewMarks(), try position(request))
    let document = try document(of: [position], marks, withMaps: false)
    var members = [
      "image": document.images[0], "names": document.names, "own": try maps.view(of: position),
    ]
    if let other {
      let place = try other.source.positions(forKey: try maps.source.key(at: position)).first
      members["other"] =
        try place.map { place throws(RelabelError) in try other.view(of: place) } ?? .null
    }
    return .object(members)
  }

  private func document(
    of positions: [Int],
    _ marks: ReviewMarks,
    withMaps: Bool
  ) throws(RelabelError) -> (images: [JSON], names: JSON) {
    var named: Set<UInt32> = []
    let found = try maps.source.maps(at: positions)
    let labels = maps.register?.labels ?? []
    let survey = maps.survey.findings
    let others = try otherMaps(positions)
    var images: [JSON] = []
    for (place, (position, map)) in zip(positions, found).enumerated() {
      let key = try maps.source.key(at: position)
      let mark = marks[key]
      var members: [String: JSON] = [
        "at": .integer(Int64(position)), "key": .string(key.printable),
        "mark": .optional(mark?.verdict?.rawValue), "note": .string(mark?.note ?? ""),
        "own": try shown(map, maps, position, withMaps, &named),
      ]
      if !labels.isEmpty, labels[position] >= 0 {
        members["label"] = .integer(Int64(labels[position]))
        named.insert(UInt32(labels[position]))
      }
      if let survey {
        members["suspicion"] = .number(Double(survey.suspicion[position]))
        members["entropy"] = .number(Double(survey.entropy[position]))
      }
      if maps.header.views != nil {
        members["view"] = .integer(Int64(try maps.source.view(at: position).number))
      }
      if let other, let others {
        members["other"] =
          try others[place].map { found throws(RelabelError) in
            try shown(found.map, other, found.position, withMaps, &named)
          } ?? .null
      }
      images.append(.object(members))
    }
    return (images, maps.header.names(of: named))
  }

  /// What one dataset says of an image.
  private func shown(
    _ map: LabelMap,
    _ maps: BrowsedMaps,
    _ position: Int,
    _ withMap: Bool,
    _ named: inout Set<UInt32>
  ) throws(RelabelError) -> JSON {
    let top = try maps.top(Self.classes, of: map)
    named.formUnion(top.map(\.classIndex))
    var members: [String: JSON] = [
      "top": .array(
        top.map { .array([.integer(Int64($0.classIndex)), .number(Double($0.probability))]) }
      )
    ]
    if withMap {
      let (json, classes) = map.bestDocument(maps.header)
      named.formUnion(classes)
      members["map"] = json
      if maps.header.views != nil { members["frame"] = try maps.source.view(at: position).frame }
    }
    return .object(members)
  }

  /// The other dataset's maps of some images; nil for an image that it does not have.
  private func otherMaps(
    _ positions: [Int]
  ) throws(RelabelError) -> [(position: Int, map: LabelMap)?]? {
    guard let other else { return nil }
    var places: [Int?] = []
    for position in positions {
      places.append(try other.source.positions(forKey: try maps.source.key(at: position)).first)
    }
    let found = try other.source.maps(at: places.compactMap(\.self))
    var rest = found[...]
    return places.map { place in place.map { ($0, rest.removeFirst()) } }
  }

  /// Classes by number, id or a part of their name.
  func classes(_ request: Request) throws(RelabelError) -> JSON {
    let text = (request.fields["find"] ?? "").lowercased()
    var found: [JSON] = []
    let table = maps.header.metadata.classes
    func add(_ number: Int) {
      let entry = table?.entries[number]
      found.append(
        .object([
          "class": .integer(Int64(number)), "id": .optional(entry?.id),
          "name": .string(table?.name(of: number) ?? "class \(number)"),
        ])
      )
    }
    let number = Int(text).flatMap { (0..<maps.header.numClasses).contains($0) ? $0 : nil }
    if let number { add(number) }
    for (place, entry) in (table?.entries ?? []).enumerated() where place != number {
      if found.count >= 50 { break }
      if text.isEmpty || entry.id.lowercased().hasPrefix(text)
        || entry.name.lowercased().contains(text)
      {
        add(place)
      }
    }
    return .object(["classes": .array(found)])
  }

  /// Marks an image.
  func mark(_ request: Request) throws(RelabelError) -> JSON {
    guard let marks else {
      throw RelabelError(.usage, "nothing is marked: give a file for the marks with --marks")
    }
    let document = try Self.document(request.body)
    guard let at = document["at"]?.count, at < maps.source.count else {
      throw RelabelError(.usage, "'at' is not the position of an image")
    }
    var verdict: ReviewMarks.Verdict?
    if let word = document["mark"]?.string {
      verdict = ReviewMarks.Verdict(rawValue: word)
      if verdict == nil { throw RelabelError(.usage, "there is no mark '\(word)'") }
    }
    let note = document["note"]?.string ?? ""
    if let fault = ReviewMarks.fault(ofNote: note) { throw RelabelError(.usage, fault) }
    let key = try maps.source.key(at: at)
    try marks.set(ReviewMarks.Mark(verdict, note: note), of: key)
    return .object([
      "key": .string(key.printable), "mark": .optional(verdict?.rawValue), "note": .string(note),
      "marks": Self.counts(marks.marks),
    ])
  }

  private static func document(_ body: [UInt8]) throws(RelabelError) -> JSON {
    do throws(RelabelError) {
      return try JSON(parsing: body)
    } catch {
      throw RelabelError(.usage, "the body is no JSON document: \(error.message)")
    }
  }
}

extension LabelView {
  /// Where its map lies on the picture.
  fileprivate var frame: JSON {
    let sides = box.map { [$0.top, $0.left, $0.height, $0.width].map { Double($0) } }
    return .object([
      "box": .array((sides ?? [0, 0, 1, 1]).map { .number($0) }),
      "isFlipped": .bool(isFlipped == true),
    ])
  }
}

extension PictureShelf {
  /// How far the listing is, for a page.
  fileprivate var word: JSON {
    switch state {
    case .none: .null
    case .listing: .string("listing")
    case .ready: .string("ready")
    case .failed(let error): .string(error.description)
    }
  }
}
