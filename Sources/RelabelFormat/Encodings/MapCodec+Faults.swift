extension MapCodec {
  /// Why a map of this shape can't be stored, or nil: for whoever wants to know before it is encoded.
  package func refusal(of map: LabelMap) -> RelabelError? {
    let isSound =
      map.score.allSatisfy { encoding.stored($0) != nil } && sound.holdsIDs(of: map)
      && (kind == .logit || areProbable(map, map.score))
    return isSound ? nil : fault(of: map)
  }

  /// Why a map can't be stored: its first cell that breaks a rule or doesn't fit the encoding.
  ///
  /// Looks at one cell after the other, which `encode` only has to do once it knows that there is
  /// something to be found.
  func fault(of map: LabelMap) -> RelabelError {
    for start in stride(from: 0, to: shape.entries, by: shape.topK) {
      var entries: [(id: UInt32, score: Float)] = []
      for entry in start..<start + shape.topK {
        let given = map.score[entry]
        guard let stored = encoding.stored(given) else {
          return unstorable(given, at: map.cell(at: entry))
        }
        entries.append((map.classIndex[entry], encoding.decoded(stored)))
      }
      entries.sort { a, b in
        cellOrder == .class || a.score == b.score ? a.id < b.id : a.score > b.score
      }
      let (ids, scores) = (entries.map(\.id), entries.map(\.score))
      let faults = rules.faults(ids.span, scores.span)
      if !faults.isEmpty { return broken(faults, ids, at: map.cell(at: start)) }
    }
    return RelabelError(.internalFault, "a map was refused without a fault")
  }

  private func unstorable(_ score: Float, at cell: Location.Cell) -> RelabelError {
    let reason =
      if !score.isFinite {
        "the score is \(score)"
      } else if encoding.range.contains(score) {
        "score \(score) can't be stored as \(encoding.name.rawValue) within the largest error asked"
      } else {
        "score \(score) is outside \(encoding.range.lowerBound) … \(encoding.range.upperBound), "
          + "what \(encoding.name.rawValue) holds; use --score-encoding float32"
      }
    return RelabelError(.invalidInput, reason, at: Location(cell: cell))
  }

  private func broken(
    _ faults: CellFaults,
    _ ids: [UInt32],
    at place: Location.Cell
  ) -> RelabelError {
    let reason =
      if faults.contains(.classOutOfRange) {
        "class id \(ids.max() ?? 0) is not below the number of classes, \(numClasses); "
          + "see --num-classes and --classes"
      } else if faults.contains(.duplicateClass) {
        "a class id stands twice in the cell: \(ids.map(String.init).joined(separator: ", "))"
      } else if faults.contains(.probabilitySum) && !faults.contains(.probabilityRange) {
        "the probabilities of the cell sum to more than 1; give --classes-are independent where classes don't "
          + "exclude each other"
      } else {
        "a score is out of range for this score kind; see --score-kind"
      }
    return RelabelError(.invalidInput, reason, at: Location(cell: .init(y: place.y, x: place.x)))
  }
}
