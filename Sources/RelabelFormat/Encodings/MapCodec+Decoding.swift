extension MapCodec {
  /// An image whose bytes are stored already and stay as they are.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - key: the join key.
  ///   - imageIndex: the position in the source listing.
  ///   - classIndex: its row of `class_index`.
  ///   - score: its row of `score`, all finite.
  /// - Returns: the image; its error against what was given once is not known, and counts as 0.
  package func stored(
    key: String,
    imageIndex: Int64,
    classIndex: [UInt8],
    score: [UInt8]
  ) -> EncodedImage {
    let scores = self.score(score[...])
    let (lowest, highest) = scores.reduce((Float.infinity, -Float.infinity)) {
      (min($0.0, $1), max($0.1, $1))
    }
    return EncodedImage(
      key: key,
      imageIndex: imageIndex,
      classIndex: classIndex,
      score: score,
      largestError: 0,
      scoreRange: lowest...highest
    )
  }

  /// The map of an encoded image, as a reader will hand it out.
  ///
  /// Callable from any thread.
  package func map(of image: EncodedImage, extent: CropBox = .whole) -> LabelMap {
    map(image.classIndex[...], image.score[...], extent)
  }

  /// A map from its stored bytes, whose cells somebody has looked at.
  ///
  /// Callable from any thread.
  package func map(
    _ classIndex: ArraySlice<UInt8>,
    _ score: ArraySlice<UInt8>,
    _ extent: CropBox
  ) -> LabelMap {
    LabelMap(checked: shape, self.classIndex(classIndex), self.score(score), extent)
  }

  /// Class ids from their stored bytes.
  ///
  /// Callable from any thread.
  package func classIndex(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
    hasWideIDs
      ? Self.elements(bytes, as: UInt32.self) { $0 }
      : Self.elements(bytes, as: UInt16.self) { UInt32($0) }
  }

  /// Scores from their stored bytes, NaN where never written.
  ///
  /// Callable from any thread.
  package func score(_ bytes: ArraySlice<UInt8>) -> [Float] {
    let (step, offset) = (encoding.packing?.step ?? 1, encoding.packing?.offset ?? 0)
    switch encoding.name.form {
    case .packed16:
      return Self.elements(bytes, as: UInt16.self) {
        $0 == .max ? .nan : Float($0) * step + offset
      }
    case .packed8:
      return Self.elements(bytes, as: UInt8.self) { $0 == .max ? .nan : Float($0) * step + offset }
    case .half: return Self.elements(bytes, as: UInt16.self) { Float16Bits.widen($0) }
    case .single: return Self.elements(bytes, as: UInt32.self) { Float(bitPattern: $0) }
    }
  }

  /// Little-endian elements, each made into a value.
  @inline(__always)
  private static func elements<Stored: FixedWidthInteger, Value>(
    _ bytes: ArraySlice<UInt8>,
    as type: Stored.Type,
    _ value: (Stored) -> Value
  ) -> [Value] {
    let count = bytes.count / MemoryLayout<Stored>.size
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      bytes.withUnsafeBytes { raw in
        for item in 0..<count {
          let stored = raw.loadUnaligned(
            fromByteOffset: item * MemoryLayout<Stored>.size,
            as: Stored.self
          )
          buffer[item] = value(Stored(littleEndian: stored))
        }
      }
      initialized = count
    }
  }
}
