extension DenseMap {
  /// The mean score of the classes that a label map of the same grid leaves out, for each cell; 0 where it keeps all.
  ///
  /// Softmax is the same when all logits of a cell are shifted alike, and so is the softmax of pooled ones. Less this
  /// mean, the classes that are left out lie about 0, which is what they count as (spec, section 8.2).
  ///
  /// - Complexity: O(`classes` · `cells`).
  package func absentMeans(_ kept: LabelMap) -> [Float] {
    let k = kept.shape.topK
    guard classes > k else { return [Float](repeating: 0, count: cells) }
    var sums = [Double](repeating: 0, count: cells)
    forEachPlane { plane in
      for cell in plane.indices { sums[cell] += Double(plane[cell]) }
    }
    return sums.indices.map { cell in
      let own = kept.score[cell * k..<(cell + 1) * k].reduce(0.0) { $0 + Double($1) }
      return Float((sums[cell] - own) / Double(classes - k))
    }
  }

  /// The map with a number less in all classes of each cell.
  package func less(_ offsets: [Float]) -> DenseMap {
    var score = score
    for place in score.indices { score[place] -= offsets[place % cells] }
    return DenseMap(
      classes: classes,
      shape: MapShape(height: height, width: width, topK: 1),
      score: score
    )
  }
}

extension LabelMap {
  /// The map with a number less in all entries of each cell.
  package func less(_ offsets: [Float]) -> LabelMap {
    var map = self
    for entry in score.indices { map.score[entry] -= offsets[entry / shape.topK] }
    return map
  }
}
