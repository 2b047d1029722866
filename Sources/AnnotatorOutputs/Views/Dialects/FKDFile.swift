import Relabel

/// What a file of FKD holds.
struct FKDFile {
  enum Kind: String {
    /// Ids of one class a crop.
    case hard
    /// One class and its probability.
    case smoothing
    /// Some classes and their probabilities.
    case marginal
  }

  /// What all files of a run have in common.
  struct Form: Hashable {
    let kind: Kind
    let entries: Int
    let coords: TorchScalar
    let labels: TorchScalar

    /// What a person is told of it.
    var words: String {
      "\(kind.rawValue) labels of \(entries) classes as \(labels.typeName), boxes of \(coords.typeName)"
    }
  }

  let form: Form
  let coords: NumberTable
  let flip: NumberTable
  let labels: NumberTable
  /// Crops that have labels.
  var count: Int { labels.shape[0] }

  /// True for a list of three arrays.
  static func isOne(_ value: ListValue) -> Bool {
    guard let items = value.items, items.count == 3 else { return false }
    return items.allSatisfy { if case .array = $0 { true } else { false } }
  }

  /// - Throws: `.invalidInput` or `.unsafeInput` for a file that holds something else.
  init(_ file: ListFile) throws(RelabelError) {
    guard let items = file.value.items, items.count == 3, let coords = try file.table(items[0]),
      let flip = try file.table(items[1]), let labels = try file.table(items[2])
    else { throw Self.wrong("does not hold a list of coords, flips and labels") }
    try file.finish()
    guard coords.shape.count == 2, coords.shape[1] == 4,
      [.float16, .float32].contains(coords.scalar)
    else { throw Self.wrong("has coords \(coords.shape) of \(coords.scalar.typeName)") }
    guard flip.shape == [coords.shape[0]], flip.scalar == .uint8 else {
      throw Self.wrong(
        "has flips \(flip.shape) of \(flip.scalar.typeName) for \(coords.shape[0]) crops"
      )
    }
    let isFloat = [.float16, .float32].contains(labels.scalar)
    let kind: Kind
    switch (labels.shape.count, isFloat) {
    case (1, _) where labels.scalar == .int64: kind = .hard
    case (2, true) where labels.shape[1] == 2: kind = .smoothing
    case (3, true) where labels.shape[1] == 2 && labels.shape[2] > 0: kind = .marginal
    default: throw Self.wrong("has labels \(labels.shape) of \(labels.scalar.typeName)")
    }
    guard (1...coords.shape[0]).contains(labels.shape[0]) else {
      throw Self.wrong("has \(labels.shape[0]) labels for \(coords.shape[0]) crops")
    }
    (self.coords, self.flip, self.labels) = (coords, flip, labels)
    form = Form(
      kind: kind,
      entries: kind == .marginal ? labels.shape[2] : 1,
      coords: coords.scalar,
      labels: labels.scalar
    )
  }

  private static func wrong(_ what: String) -> RelabelError {
    RelabelError(.invalidInput, "the file \(what), which FKD does not write")
  }

  /// The views of the file, and behind the last one the crops without labels.
  func views(_ picture: StoredView.Picture, _ path: String) throws(RelabelError) -> [StoredView] {
    var views: [StoredView] = []
    views.reserveCapacity(count)
    for row in 0..<count {
      var view = StoredView(picture, at: .row(of: path, row), try labels(ofRow: row))
      view.number = Int32(clamping: row)
      view.box = .fractions(coords.row(row))
      view.isFlipped = flip.number(row) != 0
      views.append(view)
    }
    if coords.shape[0] > count {
      let unlabelled = (count..<coords.shape[0]).map { row in
        JSON.array(coords.row(row).map(JSON.number) + [.bool(flip.number(row) != 0)])
      }
      views[count - 1].operations = ["unlabelled": .array(unlabelled)]
    }
    return views
  }

  private func labels(ofRow row: Int) throws(RelabelError) -> ViewLabels {
    let numbers = labels.row(row)
    var ids: [UInt32] = []
    for number in numbers.prefix(form.entries) {
      guard let id = UInt32(exactly: number) else {
        throw RelabelError(.invalidInput, "\(number) is not a class id (crop \(row))")
      }
      ids.append(id)
    }
    if form.kind == .hard { return ViewLabels(ids: ids, scores: [1]) }
    let size = form.entries * labels.scalar.width
    let range = labels.byteRange(ofRow: row)
    return ViewLabels(
      ids: ids,
      scores: labels.bytes[range.upperBound - size..<range.upperBound],
      labels.scalar == .float16 ? .float16 : .float32
    )
  }
}
