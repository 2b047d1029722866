package import Relabel

extension ShardHeader {
  /// What a page's scripts have to know of maps to draw and pool them.
  ///
  /// Names of classes are not in it: a page lists those that it shows (`names(of:)`).
  package var pageDocument: JSON {
    .object([
      "num_classes": .integer(Int64(numClasses)),
      "height": .integer(Int64(shape.height)),
      "width": .integer(Int64(shape.width)),
      "top_k": .integer(Int64(shape.topK)),
      "has_factors": .bool(hasFactors),
      "score_kind": .string(scoreKind.rawValue),
      "classes_are": .string(classesAre.rawValue),
      "fill": .string(fill.rawValue),
      "temperature": .number(temperature),
      "orientation": .string(orientation.rawValue),
      "annotator": .optional(metadata.annotatorName?.shortened),
    ])
  }

  /// The names of some classes by their ids, for the scripts of a page.
  package func names(of classes: some Sequence<UInt32>) -> JSON {
    guard let table = metadata.classes else { return .object([:]) }
    return .object(
      Dictionary(
        Set(classes).map { ("\($0)", .string(table.name(of: Int($0)).shortened)) },
        uniquingKeysWith: { first, _ in first }
      )
    )
  }
}

extension LabelMap {
  /// The entries as a page's scripts unpack them: flat, in the order [y][x][rank], or [y][x][factor] and [factor][class].
  ///
  /// Base64 takes a hundredth of the time that decimal digits take.
  package var pageDocument: JSON {
    var members: [String: JSON] = [
      "score": .string(Base64.text(of: score)),
      "extent": .array(extent.components.map { .number($0) }),
    ]
    if let factors {
      members["class_factor"] = .string(Base64.text(of: factors.numbers))
      members["factor_scale"] = .array(factors.scale.map { .number(Double($0)) })
    } else {
      members["class_index"] = .string(Base64.text(of: classIndex))
    }
    return .object(members)
  }

  /// The best class of each cell, for a page that shows many maps small.
  package func bestDocument(_ header: ShardHeader) -> (json: JSON, classes: [UInt32]) {
    let best = BestCells(self, header)
    let json = JSON.object([
      "class_index": .string(Base64.text(of: best.classIndex)),
      "probability": .string(Base64.text(of: best.probability.map { Float($0) })),
      "extent": .array(extent.components.map { .number($0) }),
    ])
    return (json, best.classIndex)
  }
}
