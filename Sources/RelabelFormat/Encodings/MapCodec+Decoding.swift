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
    _ extent: CropBox,
    factors: ClassFactors? = nil
  ) -> LabelMap {
    LabelMap(
      checked: shape,
      self.classIndex(classIndex),
      self.score(score),
      extent,
      factors: factors
    )
  }

  /// Class ids from their stored bytes.
  ///
  /// Callable from any thread.
  package func classIndex(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
    Self.values(bytes, of: hasWideIDs ? 4 : 2) { classIndex($0, count: $1, into: $2) }
  }

  /// Scores from their stored bytes, NaN where never written.
  ///
  /// Callable from any thread.
  package func score(_ bytes: ArraySlice<UInt8>) -> [Float] {
    Self.values(bytes, of: encoding.elementType.size) { score($0, count: $1, into: $2) }
  }

  /// The same in memory of the caller: `count` class ids.
  package func classIndex(
    _ stored: UnsafeRawPointer,
    count: Int,
    into ids: UnsafeMutablePointer<UInt32>
  ) {
    if hasWideIDs {
      Self.decode(stored, count, into: ids) { (id: UInt32) in id }
    } else {
      Self.decode(stored, count, into: ids) { (id: UInt16) in UInt32(id) }
    }
  }

  /// The same in 2 bytes each, of maps whose ids are stored in as many.
  package func classIndex(
    _ stored: UnsafeRawPointer,
    count: Int,
    into ids: UnsafeMutablePointer<UInt16>
  ) {
    precondition(!hasWideIDs)
    Self.copy(stored, count, into: ids)
  }

  /// Numbers of 2 bytes as they are stored, in the order of this machine's bytes.
  private static func copy(
    _ stored: UnsafeRawPointer,
    _ count: Int,
    into numbers: UnsafeMutablePointer<UInt16>
  ) {
    #if _endian(little)
      UnsafeMutableRawPointer(numbers).copyMemory(from: stored, byteCount: 2 * count)
    #else
      decode(stored, count, into: numbers) { (number: UInt16) in number }
    #endif
  }

  /// `count` halves as they are stored, of maps whose scores are stored so.
  package func halves(
    _ stored: UnsafeRawPointer,
    count: Int,
    into scores: UnsafeMutablePointer<UInt16>
  ) {
    precondition(encoding.name.form == .half)
    Self.copy(stored, count, into: scores)
  }

  /// `count` scores, NaN where never written.
  package func score(
    _ stored: UnsafeRawPointer,
    count: Int,
    into scores: UnsafeMutablePointer<Float>
  ) {
    let (step, offset) = (encoding.packing?.step ?? 1, encoding.packing?.offset ?? 0)
    switch encoding.name.form {
    case .packed16:
      Self.decode(stored, count, into: scores) { (form: UInt16) in
        form == .max ? .nan : Float(form) * step + offset
      }
    case .packed8:
      Self.decode(stored, count, into: scores) { (form: UInt8) in
        form == .max ? .nan : Float(form) * step + offset
      }
    case .half: Self.decode(stored, count, into: scores) { Float16Bits.widen($0) }
    case .single: Self.decode(stored, count, into: scores) { Float(bitPattern: $0) }
    }
  }

  /// An array of what `decode` makes of elements of `size` bytes.
  private static func values<Value>(
    _ bytes: ArraySlice<UInt8>,
    of size: Int,
    _ decode: (UnsafeRawPointer, Int, UnsafeMutablePointer<Value>) -> Void
  ) -> [Value] {
    let count = bytes.count / size
    return [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      bytes.withUnsafeBytes { bytes in
        guard let stored = bytes.baseAddress, let values = buffer.baseAddress else { return }
        decode(stored, count, values)
        initialized = count
      }
    }
  }

  /// Makes little-endian elements into values: a loop that the compiler turns into vector instructions.
  @inline(__always)
  private static func decode<Stored: FixedWidthInteger, Value>(
    _ stored: UnsafeRawPointer,
    _ count: Int,
    into values: UnsafeMutablePointer<Value>,
    _ value: (Stored) -> Value
  ) {
    for item in 0..<count {
      let offset = item &* MemoryLayout<Stored>.size
      let element = stored.loadUnaligned(fromByteOffset: offset, as: Stored.self)
      values[item] = value(Stored(littleEndian: element))
    }
  }
}
