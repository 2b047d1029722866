internal import Relabel

/// How the labels of two datasets differ.
package struct DatasetDifference: Sendable {
  let a: any LabelMapSource
  let b: any LabelMapSource
  let headerA: ShardHeader
  let headerB: ShardHeader
  let options: DifferenceOptions
  let headers: HeaderDifference
  let match: ClassMatch
  let cells: CellComparison
  let onlyA: NameList
  let onlyB: NameList
  let tally: DifferenceTally

  init(
    a: any LabelMapSource,
    b: any LabelMapSource,
    options: DifferenceOptions,
    headers: HeaderDifference,
    match: ClassMatch,
    cells: CellComparison,
    join: ImageJoin,
    tally: DifferenceTally
  ) throws(RelabelError) {
    (self.a, self.b, self.options) = (a, b, options)
    (headerA, headerB) = (try a.header, try b.header)
    (self.headers, self.match, self.cells, self.tally) = (headers, match, cells, tally)
    (onlyA, onlyB) = (join.onlyA, join.onlyB)
  }

  /// What the comparison comes to.
  package enum Verdict: String, CaseIterable, Sendable {
    /// Same images, classes, scores and meaning.
    case same
    /// The same, but for scores within what the user tolerates.
    case withinTolerance = "within_tolerance"
    /// Different scores, none by more than the two encodings promise together; all else is the same.
    case withinEncodings = "within_encodings"
    /// Different labels.
    case differs

    /// The verdict in a few words.
    package var text: String {
      switch self {
      case .same: "the labels are the same"
      case .withinTolerance: "the labels are the same within the tolerance"
      case .withinEncodings:
        "scores differ, but by no more than the encodings promise; all else is the same"
      case .differs: "the labels differ"
      }
    }

    /// True where the two count as the same.
    package var isSame: Bool { self == .same || self == .withinTolerance }
  }

  /// What the comparison comes to.
  package var verdict: Verdict {
    let isAllElseSame =
      !headers.counts && onlyA.count == 0 && onlyB.count == 0 && tally.otherExtents.count == 0
      && tally.otherViews.count == 0 && tally.cells.lonely == 0 && tally.cells.otherFactors == 0
      && cells.obstacle == nil
      && cells.scoreObstacle == nil
    guard isAllElseSame else { return .differs }
    let scores = tally.cells.scores
    if scores.differing == 0 { return .same }
    if scores.beyondTolerance == 0 { return .withinTolerance }
    return scores.beyondEncodings == 0 ? .withinEncodings : .differs
  }

  /// The name of a class by its number.
  func name(_ number: UInt32) -> String { match.name(number, headerA, headerB) }
}

extension ScoreTolerance {
  /// The tolerance as the command line has it.
  package var text: String {
    switch self {
    case .number(let number): "\(number)"
    case .encodings: "encodings"
    }
  }
}
