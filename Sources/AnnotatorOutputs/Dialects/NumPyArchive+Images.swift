import Relabel

extension NumPyArchive {
  /// The images, once every member has been read.
  func finish(
    _ path: String,
    at place: Place
  ) throws(RelabelError) -> (entries: Entries, isBatch: Bool, keys: NumPyKeys?) {
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
        denseClasses: layout.classes
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
        denseClasses: nil
      )
      axes = classIndex.header.shape
      bytes = classIndex.header.dataBytes + score.header.dataBytes
    } else {
      throw RelabelError(
        .invalidInput,
        "an .npz file holds either logits or probabilities, or both class_index and score"
      )
    }
    let isBatch = axes.count == 4
    let rows = isBatch ? axes[0] : 1
    if let keys, keys.count != rows {
      throw RelabelError(.invalidInput, "the file has \(keys.count) keys for \(rows) maps")
    }
    bytes /= rows
    let (keys, faults, topK) = (keys, faults, topK)
    let entries = (0..<rows).lazy.map { row in
      let spooled = SpooledRow(array: array, row: row, sourceBytes: bytes)
      return Entry(
        place: isBatch || keys != nil ? .row(of: path, row) : place,
        payload: faults[row].map { .failure($0) }
          ?? .spooled(spooled, topK: array.denseClasses == nil ? topK : nil)
      )
    }
    return (entries, isBatch, keys)
  }
}
