internal import Relabel

/// Compares stored label maps with fresh ones (rule I006).
struct RecomputationCheck {
  private let recomputation: Recomputation
  private let meaning: ShardMeaning
  private let isolation: Isolation

  /// On real maps, noise of 0.05 on the logits moved 5 % of the ids out of their cell's top five.
  private static let largestShareOfOthers = 0.05

  init(_ recomputation: Recomputation, _ meaning: ShardMeaning, _ isolation: Isolation) {
    self.recomputation = recomputation
    self.meaning = meaning
    self.isolation = isolation
  }

  /// The largest mean |Δ score| of an image.
  private var limit: Double {
    let tolerance = meaning.scoreKind == .probability ? 0.01 : 0.05
    return meaning.encodingError + (recomputation.tolerance ?? tolerance)
  }

  private struct Outcome {
    var all = MapDifference()
    var compared = 0
    var missing: [String] = []
    /// Images that differ too much: the first, and how.
    var differing: (count: Int, key: String, what: String)?

    mutating func addDiffering(_ key: String, _ what: String) {
      differing = (1 + (differing?.count ?? 0), differing?.key ?? key, differing?.what ?? what)
    }
  }

  /// Runs the annotator and adds what comes out to the report.
  ///
  /// - Throws: `.io` when the annotator fails.
  func check(
    _ images: [RecomputationChoice.Image],
    _ pictures: PictureIndex,
    _ path: String,
    _ tally: inout Tally,
    _ report: inout Report
  ) throws(RelabelError) {
    guard !images.isEmpty else {
      report.omissions.append("\(path): no image has a picture, so no map was computed again")
      return
    }
    let request = AnnotationRequest(
      pictures: images.map { ($0.key, pictures.path(ofKey: $0.key) ?? "") },
      topK: meaning.shape.topK,
      numClasses: meaning.numClasses,
      scoreKind: meaning.scoreKind
    )
    let fresh = try recomputation.annotator.annotate(request)
    var outcome = Outcome()
    for (shard, images) in Dictionary(grouping: images, by: \.shard).sorted(by: { $0.key < $1.key })
    {
      try compare(images, of: shard, fresh, &outcome)
    }
    try add(outcome, asked: images.count, path, &tally, &report)
  }

  private func compare(
    _ images: [RecomputationChoice.Image],
    of shard: String,
    _ fresh: any FreshMaps,
    _ outcome: inout Outcome
  ) throws(RelabelError) {
    let images = images.sorted { $0.row < $1.row }
    var stored: [LabelMap] = []
    try isolation.maps(of: shard, meaning, images.map(\.row)) { stored.append($0) }
    for (image, map) in zip(images, stored) {
      guard let other = try fresh.map(forKey: image.key) else {
        outcome.missing.append(image.key)
        continue
      }
      outcome.compared += 1
      guard other.shape == map.shape else {
        outcome.addDiffering(image.key, "the fresh map is \(other.shape), not \(map.shape)")
        continue
      }
      let difference = MapDifference(map, other)
      outcome.all += difference
      if difference.meanDistance > limit {
        let distance = difference.meanDistance.rounded(toPlaces: 4)
        outcome.addDiffering(
          image.key,
          difference.common == 0
            ? "stored and fresh map have no class in common"
            : "scores of the same class differ by \(distance) on average"
        )
      }
    }
  }

  private func add(
    _ outcome: Outcome,
    asked: Int,
    _ path: String,
    _ tally: inout Tally,
    _ report: inout Report
  ) throws(RelabelError) {
    if outcome.compared == 0 {
      throw RelabelError(.io, "the annotator gave no map for any of \(asked) images")
    }
    if let first = outcome.missing.first {
      report.omissions.append(
        "\(path): the annotator gave no map for \(outcome.missing.count) of \(asked) images, "
          + "first: '\(first)'"
      )
    }
    let share = outcome.all.shareOfOthers
    if let (count, key, what) = outcome.differing {
      let message = "\(what); at most \(limit.rounded(toPlaces: 4)) is explained"
      let violation = Violation(.i006, message, at: Location(key: key))
      tally.add(Tally.Entry(violation, count: count, images: count))
    } else if share > Self.largestShareOfOthers {
      let percent = (share * 100).rounded(toPlaces: 1)
      let message = "\(percent) % of the stored classes are not in the same cell of the fresh maps"
      tally.add(Tally.Entry(Violation(.i006, message), count: 1, images: outcome.compared))
    }
    report.measure(
      "recomputation",
      [
        "path": .string(path),
        "asked": .integer(Int64(asked)),
        "compared": .integer(Int64(outcome.compared)),
        "differing": .integer(Int64(outcome.differing?.count ?? 0)),
        "mean_difference": .optional(
          outcome.all.common > 0 ? outcome.all.meanDistance : nil
        ),
        "differing_ids": .number(share),
        "limit": .number(limit),
      ]
    )
  }
}

extension Double {
  /// This number rounded for people.
  fileprivate func rounded(toPlaces places: Int) -> Double {
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    return (self * scale).rounded() / scale
  }
}
