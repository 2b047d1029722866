import Relabel

extension SpooledArrays {
  /// The images, once every array has been taken; `subject` is what errors call such a file.
  func finish(
    _ dialect: String = "NumPy archive",
    evidence: String? = nil,
    subject: String = "an .npz file"
  ) throws(RelabelError) -> FoundMaps {
    let array: SpooledArray
    let axes: [Int]
    var bytes: Int
    if let (part, layout, scoreOffset, kind) = dense, classIndex == nil, score == nil {
      array = SpooledArray(
        file: part.file,
        shape: layout.shape,
        classOffset: part.offset,
        scoreOffset: scoreOffset,
        scoreKind: kind,
        denseClasses: layout.classes,
        topK: nil,
        wholeRows: wholeRows,
        normalizerOffset: normalizerOffset,
        dialect: dialect,
        evidence: evidence
      )
      (axes, bytes) = (part.header.shape, part.header.dataBytes)
    } else if dense == nil, let classIndex, let score {
      guard classIndex.header.shape == score.header.shape else {
        throw RelabelError(
          .invalidInput,
          "class_index has the shape \(classIndex.header.shape), score \(score.header.shape)"
        )
      }
      array = SpooledArray(
        file: classIndex.file,
        shape: try Self.sparseShape(classIndex.header).shape,
        classOffset: classIndex.offset,
        scoreOffset: score.offset,
        scoreKind: nil,
        denseClasses: nil,
        topK: options.topK,
        isBackgroundFirst: options.isBackgroundFirst,
        dialect: dialect,
        evidence: evidence
      )
      axes = classIndex.header.shape
      bytes = classIndex.header.dataBytes + score.header.dataBytes
    } else {
      throw RelabelError(
        .invalidInput,
        "\(subject) holds either logits or probabilities, or both class_index and score"
      )
    }
    let isBatch = axes.count == 4
    let rows = isBatch ? axes[0] : 1
    if let keys, keys.count != rows {
      throw RelabelError(.invalidInput, "the file has \(keys.count) keys for \(rows) maps")
    }
    let mapBytes = bytes / rows
    let faults = faults
    let names: FoundMaps.Names = if let keys { .keys(keys) } else { isBatch ? .rows : .file }
    return FoundMaps(names, count: rows) { row in
      if let fault = faults[row] { return .failure(fault) }
      return .map(array, ByteRegion(storage: .rows, offset: row, count: mapBytes))
    }
  }
}
