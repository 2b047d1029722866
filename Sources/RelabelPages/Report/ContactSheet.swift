package import Relabel

/// A few images side by side: what is known of each, and its map.
struct ContactSheet {
  let name: String
  let title: String
  let text: String
  let leaders: [Leaders.Leader]

  /// The longest side of a map that is drawn; cells of a larger one are left out evenly.
  private static let longestSide = 32
  private static let shownClasses = 3
  /// Less says nothing.
  private static let leastSuspicion: Float = 0.05

  /// The sheets of a report.
  static func all(_ measures: DatasetMeasures) -> [ContactSheet] {
    let label = measures.labels.images > 0
    return [
      ContactSheet(
        name: "suspicious",
        title: "Most suspicious",
        text: label
          ? "Maps that are sure of another class than the source's, that look the same everywhere, or whose crops "
            + "show other things."
          : "Maps that look the same everywhere, or whose crops show other things. With source labels, this would "
            + "also compare both.",
        leaders: measures.suspicious.leaders.filter { $0.value >= Self.leastSuspicion }
      ),
      ContactSheet(
        name: "mixed",
        title: "Most mixed",
        text: "Maps whose target is spread over the most classes, one for each best class.",
        leaders: measures.mixed.leaders
      ),
      ContactSheet(
        name: "surest",
        title: "Surest",
        text: "Maps that are surest of one class, one for each class.",
        leaders: measures.surest.leaders
      ),
    ]
  }

  /// The positions of all images, each once, ascending.
  static func positions(_ sheets: [ContactSheet]) -> [Int] {
    Set(sheets.flatMap { $0.leaders.map(\.position) }).sorted()
  }

  /// What a page shows of the sheet, and the classes that it names.
  ///
  /// - Parameters:
  ///   - source: the maps.
  ///   - pictures: thumbnails as the text of an address, by position.
  ///   - classes: receives the ids of classes.
  /// - Returns: the sheet.
  /// - Throws: as reading.
  func json(
    _ source: any LabelMapSource,
    pictures: [Int: String],
    _ classes: inout Set<UInt32>
  ) throws(RelabelError) -> JSON {
    let pooling = try LabelPooling(
      source.header,
      profile: source.header.orientation == .unknown ? .relabel : nil
    )
    let orientation = try source.header.orientation
    var images: [JSON] = []
    for leader in leaders {
      let map = try source.map(at: leader.position)
      let top = try pooling.target(of: map, in: map.extent).top(Self.shownClasses)
      classes.formUnion(top.map(\.classIndex))
      if let label = leader.measures.label { classes.insert(label.classIndex) }
      let drawing = Self.drawing(map, map.bestOfCells, orientation)
      images.append(
        .object([
          "key": .string(try source.key(at: leader.position).shortened),
          "position": .integer(Int64(leader.position)),
          "measures": leader.measures.json,
          "top": .array(
            top.map { .array([.integer(Int64($0.classIndex)), .rounded(Double($0.probability))]) }
          ),
          "map": drawing,
          "picture": .optional(pictures[leader.position]),
        ])
      )
    }
    return .object([
      "name": .string(name), "title": .string(title), "text": .string(text),
      "images": .array(images),
    ])
  }

  /// The best class of each cell that is drawn, as it lies on the picture.
  private static func drawing(
    _ map: LabelMap,
    _ best: [UInt32],
    _ orientation: Orientation
  ) -> JSON {
    let shape = map.shape
    let isTransposed = orientation == .xy
    let (height, width) = isTransposed ? (shape.width, shape.height) : (shape.height, shape.width)
    let (rows, columns) = (min(height, longestSide), min(width, longestSide))
    var drawn: [JSON] = []
    for place in 0..<rows * columns {
      let (down, across) = (place / columns * height / rows, place % columns * width / columns)
      let cell = isTransposed ? across * shape.width + down : down * shape.width + across
      drawn.append(.integer(Int64(best[cell])))
    }
    return .object([
      "rows": .integer(Int64(rows)), "columns": .integer(Int64(columns)), "best": .array(drawn),
      "extent": .array(map.extent.components.map { .rounded($0) }),
    ])
  }
}

extension ImageMeasures {
  /// The measures for a page or a program.
  package var json: JSON {
    .object([
      "best": .integer(Int64(best)),
      "probability": .rounded(probability),
      "second": second.map { .integer(Int64($0.classIndex)) } ?? .null,
      "second_probability": .rounded(second?.probability),
      "entropy": .rounded(entropy),
      "missing": .rounded(missing),
      "cell_entropy": .rounded(cellEntropy),
      "cell_missing": .rounded(cellMissing),
      "true_cell_missing": .rounded(trueCellMissing),
      "label": label.map { .integer(Int64($0.classIndex)) } ?? .null,
      "label_probability": .rounded(label?.probability),
      "label_lead": .rounded(label?.lead),
      "label_seen": label.map { .bool($0.isSeen) } ?? .null,
      "crops_other_than_image": .rounded(cropsOtherThanImage),
      "crops_other_than_label": .rounded(cropsOtherThanLabel),
      "constant": .bool(isConstant),
      "suspicion": .rounded(suspicion),
    ])
  }
}
