import Relabel

/// Label maps that come with their own top-k.
enum SparseMap {
  /// Refuses class ids in a type that does not hold all of them exactly.
  ///
  /// Rounded or wrapped ids are whole numbers, too: only type and class count tell that some must be wrong.
  /// - Parameters:
  ///   - type: what the ids are stored as.
  ///   - held: the most classes whose ids the type holds.
  ///   - classes: how many classes the annotator scores; nil if that is not known.
  /// - Throws: `.invalidInput` naming type and class count.
  static func checkIDs(as type: String, held: Int, classes: Int?) throws(RelabelError) {
    guard let classes, classes > held else { return }
    throw RelabelError(
      .invalidInput,
      "class ids are stored as \(type), which holds those of \(held) classes exactly, and there are "
        + "\(classes): some ids must be wrong. Save ids as integers of 32 bits, before anything makes "
        + "\(type) of them: an .npz of class_index and score"
    )
  }

  /// True for a map whose values can hardly be those of two dense maps.
  static func isLikely(_ map: LabelMap) -> Bool {
    let (k, scores) = (map.shape.topK, map.score)
    return scores.contains { $0 != $0.rounded() }
      && (0..<map.shape.cells).allSatisfy { cell in
        let entries = cell * k..<(cell + 1) * k
        return Set(map.classIndex[entries]).count == k
          && entries.dropFirst().allSatisfy { !(scores[$0] > scores[$0 - 1]) }
      }
  }

  /// The map without class 0, the background; all other classes move down by one.
  ///
  /// A cell that does not keep the background gives up its lowest score instead, so that all keep k - 1 classes.
  static func withoutBackground(_ map: LabelMap) throws(RelabelError) -> LabelMap {
    let old = map.shape
    guard old.topK > 1 else {
      throw RelabelError(
        .usage,
        "--background-first takes one class from each cell, and these keep one: leave the option out"
      )
    }
    let shape = MapShape(height: old.height, width: old.width, topK: old.topK - 1)
    var (classIndex, score) = ([UInt32](), [Float]())
    classIndex.reserveCapacity(shape.entries)
    score.reserveCapacity(shape.entries)
    for cell in 0..<shape.cells {
      let entries = cell * old.topK..<(cell + 1) * old.topK
      let lowest = entries.min { map.score[$0] < map.score[$1] }
      let dropped = entries.first { map.classIndex[$0] == 0 } ?? lowest
      for entry in entries where entry != dropped {
        // A second entry of class 0 is left for the check of classes that occur twice.
        classIndex.append(map.classIndex[entry] == 0 ? .max : map.classIndex[entry] - 1)
        score.append(map.score[entry])
      }
    }
    return LabelMap(shape: shape, classIndex: classIndex, score: score)
  }

  /// The `topK` best entries of each cell, or the map as it is when nothing has to go.
  ///
  /// Ties take the lower class id. NaN counts as best, so that the check for it still sees it.
  static func keepingBest(_ topK: Int?, of map: LabelMap) throws(RelabelError) -> LabelMap {
    guard let topK, topK != map.shape.topK else { return map }
    guard topK < map.shape.topK else {
      throw RelabelError(
        .usage,
        "the map keeps \(map.shape.topK) classes in each cell, fewer than the top-k of \(topK);"
          + " ask for at most \(map.shape.topK)"
      )
    }
    let old = map.shape
    let shape = MapShape(height: old.height, width: old.width, topK: topK)
    var classIndex: [UInt32] = []
    var score: [Float] = []
    classIndex.reserveCapacity(shape.entries)
    score.reserveCapacity(shape.entries)
    for cell in 0..<shape.cells {
      let entries = (cell * old.topK..<(cell + 1) * old.topK).sorted { a, b in
        let (x, y) = (map.score[a], map.score[b])
        if x.isNaN || y.isNaN { return x.isNaN && !y.isNaN }
        return x != y ? x > y : map.classIndex[a] < map.classIndex[b]
      }
      for entry in entries.prefix(topK) {
        classIndex.append(map.classIndex[entry])
        score.append(map.score[entry])
      }
    }
    return LabelMap(shape: shape, classIndex: classIndex, score: score)
  }
}
