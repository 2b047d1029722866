import Relabel

extension NumPyArchive {
  /// `.npz` files, whose contents are spooled while they are listed.
  struct Files: Dialect {
    let name = "NumPy archive"
    let word = "npz"
    let extensions = [".npz"]
    let needsOwnFile = true

    func evidence(in head: [UInt8]) -> String? {
      // A zip file whose first member is an array.
      guard head.starts(with: "PK\u{3}\u{4}".utf8), head.count > 30 else { return nil }
      let count = Int(head[26]) | Int(head[27]) << 8
      let name = String(decoding: head.dropFirst(30).prefix(count), as: UTF8.self)
      return name.hasSuffix(".npy") ? "a zip file of arrays" : nil
    }

    func list(
      _ region: ByteRegion,
      path: () -> String,
      options: InputOptions,
      spool: inout Spool
    ) throws(RelabelError) -> FoundMaps {
      try NumPyArchive.read(path(), options: options, spool: &spool)
    }
  }

  /// The images, once every member has been read.
  func finish() throws(RelabelError) -> FoundMaps {
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
        normalizerOffset: normalizerOffset
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
        isBackgroundFirst: options.isBackgroundFirst
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
    let mapBytes = bytes / rows
    let faults = faults
    let names: FoundMaps.Names = if let keys { .keys(keys) } else { isBatch ? .rows : .file }
    return FoundMaps(names, count: rows) { row in
      if let fault = faults[row] { return .failure(fault) }
      return .map(array, ByteRegion(storage: .rows, offset: row, count: mapBytes))
    }
  }
}
