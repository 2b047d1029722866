/// What the values of optional HDF5 datasets must be where they are written (spec, section 4.5): the one place
/// that says so, for verifier and recovery alike.
package enum OptionalValues {
  /// What is wrong with a row's value that is written and finite.
  ///
  /// - Parameters:
  ///   - bytes: the value as stored.
  ///   - name: its HDF5 dataset.
  ///   - numClasses: classes of the annotator.
  ///   - viewSize: of a view in pixels, where it is known.
  /// - Returns: the broken rule and why, or nil.
  package static func fault(
    _ bytes: ArraySlice<UInt8>,
    of name: String,
    numClasses: Int,
    viewSize: ViewFacts.Size?
  ) -> (rule: Rule, reason: String)? {
    if name == Layout.classFactor { return nil }
    if Layout.viewNames.contains(name) { return ViewValues.fault(bytes, of: name, viewSize) }
    let words = words(bytes)
    switch name {
    case Layout.mapExtent:
      let sides = words.map { Double(Float(bitPattern: $0)) }
      let box = CropBox(top: sides[0], left: sides[1], height: sides[2], width: sides[3])
      return box.fault.map { (.v019, "the extent is not a box: \($0)") }
    case Layout.sourceLabel:
      let label = Int32(bitPattern: words[0])
      if label < numClasses, label >= -1 { return nil }
      return (.v020, "the label is \(label), neither −1 nor one of \(numClasses) classes")
    case Layout.factorScale:
      let scales = words.map { Float(bitPattern: $0) }
      guard let wrong = scales.first(where: { !Layout.isFactorScale($0) }) else { return nil }
      return (.v032, "the scale \(Double(wrong)) is no power of two and not 0")
    case Layout.imageSize:
      if !words.contains(0) { return nil }
      return (.v021, "the picture has \(words[0]) × \(words[1]) pixels")
    default: return nil
    }
  }

  /// The class that a row of `source_label` gives.
  package static func label(of bytes: ArraySlice<UInt8>) -> Int32 {
    Int32(bitPattern: words(bytes)[0])
  }

  /// The place of the first value of a row that is NaN or infinite; nil for integers.
  package static func firstNonFinite(_ bytes: ArraySlice<UInt8>, of name: String) -> Int? {
    if name == Layout.viewBox { return ViewValues.floats(bytes).firstIndex { !$0.isFinite } }
    guard [Layout.mapExtent, Layout.logNormalizer, Layout.factorScale].contains(name) else {
      return nil
    }
    return words(bytes).firstIndex { !Float(bitPattern: $0).isFinite }
  }

  private static func words(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
      }
    }
  }

  /// The first cell whose `log_normalizer` lies below a score of it by more than rounding explains (rule V022).
  ///
  /// - Parameters:
  ///   - bytes: the row of `log_normalizer`, all of its values finite.
  ///   - scores: the decoded scores of the row.
  ///   - encoding: how they were stored.
  ///   - shape: of the map.
  /// - Returns: the cell and why, or nil.
  package static func lowNormalizer(
    _ bytes: ArraySlice<UInt8>,
    _ scores: [Float],
    _ encoding: ScoreEncoding,
    _ shape: MapShape
  ) -> (cell: Location.Cell, reason: String)? {
    for (cell, word) in words(bytes).enumerated() {
      let normalizer = Double(Float(bitPattern: word))
      let inCell = scores[cell * shape.topK..<(cell + 1) * shape.topK]
      guard let score = inCell.max().map(Double.init) else { continue }
      if score > normalizer + encoding.rounding(of: score) + abs(normalizer) * 0x1p-23 {
        let place = Location.Cell(y: cell / shape.width, x: cell % shape.width)
        return (place, "the logarithm of the sum is \(normalizer), below the score \(score) in it")
      }
    }
    return nil
  }
}
