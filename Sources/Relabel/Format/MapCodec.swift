internal import HDF5

/// One image in its stored form, before chunks are made of it.
public struct EncodedImage: Sendable {
  /// The join key.
  public let key: String
  /// The position in the source listing.
  public let imageIndex: Int64
  /// Little-endian class ids in stored order.
  package let classIndex: [UInt8]
  /// Little-endian stored scores in the same order.
  package let score: [UInt8]
  /// The largest |decoded − given| of its scores.
  public let largestError: Double
  /// Lowest and highest decoded score.
  public let scoreRange: ClosedRange<Float>
  /// Its values of the shard's optional datasets, in their order.
  package var optional: [[UInt8]] = []
}

/// Turns label maps into stored bytes and back (spec, "Score encodings" and "Cell order").
public struct MapCodec: Sendable {
  private let shape: MapShape
  private let encoding: ScoreEncoding
  private let cellOrder: CellOrder
  private let rules: CellRules
  private let hasWideIDs: Bool
  private let numClasses: Int

  /// Makes the codec of a shard.
  public init(_ header: ShardHeader) {
    shape = header.shape
    encoding = header.encoding
    cellOrder = header.cellOrder
    rules = header.cellRules(order: nil)
    hasWideIDs = header.classIndexType == .uint32
    numClasses = header.numClasses
  }

  /// Orders, quantises and checks the entries of one image.
  ///
  /// Callable from any thread.
  /// - Throws: `.invalidInput` naming the cell and the value that break a rule or don't fit the
  ///   encoding; nothing is clipped.
  /// - Complexity: O(cells · k²).
  public func encode(_ image: LabelledImage) throws(RelabelError) -> EncodedImage {
    do {
      return try encode(image.map, key: image.key, imageIndex: image.imageIndex)
    } catch {
      throw error.located(Location(key: image.key))
    }
  }

  private func encode(
    _ map: LabelMap,
    key: String,
    imageIndex: Int64
  ) throws(RelabelError) -> EncodedImage {
    guard map.shape == shape else {
      throw RelabelError(.invalidInput, "the map is \(map.shape), this dataset's are \(shape)")
    }
    var ids: [UInt8] = []
    var scores: [UInt8] = []
    ids.reserveCapacity(shape.entries * (hasWideIDs ? 4 : 2))
    scores.reserveCapacity(shape.entries * encoding.elementType.size)
    var largestError = 0.0
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    var cell = CellEntries(count: shape.topK)
    for start in stride(from: 0, to: shape.entries, by: shape.topK) {
      for rank in 0..<shape.topK {
        let given = map.score[start + rank]
        guard let stored = quantise(given) else {
          throw unstorable(given, at: map.cell(at: start + rank))
        }
        let decoded = value(of: stored)
        cell.set(rank, id: map.classIndex[start + rank], score: decoded, stored: stored)
        largestError = max(largestError, abs(Double(decoded) - Double(given)))
        lowest = min(lowest, decoded)
        highest = max(highest, decoded)
      }
      cell.sort(cellOrder)
      let faults = rules.faults(cell.ids.span, cell.scores.span)
      if !faults.isEmpty { throw broken(faults, cell, at: map.cell(at: start)) }
      for rank in 0..<shape.topK {
        append(cell.ids[rank], size: hasWideIDs ? 4 : 2, to: &ids)
        append(cell.stored[rank], size: encoding.elementType.size, to: &scores)
      }
    }
    return EncodedImage(
      key: key,
      imageIndex: imageIndex,
      classIndex: ids,
      score: scores,
      largestError: largestError,
      scoreRange: lowest...highest
    )
  }

  private func append(_ value: UInt32, size: Int, to bytes: inout [UInt8]) {
    for byte in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))) }
  }

  /// The stored form of a score, or nil when the encoding can't hold it.
  private func quantise(_ score: Float) -> UInt32? {
    guard score.isFinite else { return nil }
    if let packing = encoding.packing, let highest = encoding.name.highestStored {
      let steps = ((Double(score) - Double(packing.offset)) / Double(packing.step))
        .rounded(.toNearestOrEven)
      return steps >= 0 && steps <= highest ? UInt32(steps) : nil
    }
    guard encoding.name == .float16 else { return score.bitPattern }
    let half = Float16Bits.narrow(score)
    let decoded = Float16Bits.widen(half)
    guard decoded.isFinite else { return nil }
    if let allowed = encoding.maximumError, abs(Double(decoded) - Double(score)) > allowed {
      return nil
    }
    return UInt32(half)
  }

  private func value(of stored: UInt32) -> Float {
    if let packing = encoding.packing { return Float(stored) * packing.step + packing.offset }
    return encoding.name == .float16
      ? Float16Bits.widen(UInt16(truncatingIfNeeded: stored)) : Float(bitPattern: stored)
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
    _ cell: CellEntries,
    at place: Location.Cell
  ) -> RelabelError {
    let reason =
      if faults.contains(.classOutOfRange) {
        "class id \(cell.ids.max() ?? 0) is not below the number of classes, \(numClasses); "
          + "see --num-classes and --classes"
      } else if faults.contains(.duplicateClass) {
        "a class id stands twice in the cell: \(cell.ids.map(String.init).joined(separator: ", "))"
      } else if faults.contains(.probabilitySum) && !faults.contains(.probabilityRange) {
        "the probabilities of the cell sum to more than 1"
      } else {
        "a score is out of range for this score kind; see --score-kind"
      }
    let cell = Location.Cell(y: place.y, x: place.x)
    return RelabelError(.invalidInput, reason, at: Location(cell: cell))
  }

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
    switch encoding.name {
    case .fixed16:
      return Self.elements(bytes, as: UInt16.self) {
        $0 == .max ? .nan : Float($0) * step + offset
      }
    case .fixed8:
      return Self.elements(bytes, as: UInt8.self) { $0 == .max ? .nan : Float($0) * step + offset }
    case .float16: return Self.elements(bytes, as: UInt16.self) { Float16Bits.widen($0) }
    case .float32: return Self.elements(bytes, as: UInt32.self) { Float(bitPattern: $0) }
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

/// The entries of one cell while they are brought into stored order.
private struct CellEntries {
  private(set) var ids: [UInt32]
  private(set) var scores: [Float]
  private(set) var stored: [UInt32]

  init(count: Int) {
    ids = [UInt32](repeating: 0, count: count)
    scores = [Float](repeating: 0, count: count)
    stored = ids
  }

  mutating func set(_ rank: Int, id: UInt32, score: Float, stored: UInt32) {
    ids[rank] = id
    scores[rank] = score
    self.stored[rank] = stored
  }

  /// Insertion sort: the entries of a cell are few and nearly in order.
  mutating func sort(_ order: CellOrder) {
    for place in ids.indices.dropFirst() {
      var rank = place
      while rank > 0, isBefore(rank, rank - 1, order) {
        ids.swapAt(rank, rank - 1)
        scores.swapAt(rank, rank - 1)
        stored.swapAt(rank, rank - 1)
        rank -= 1
      }
    }
  }

  private func isBefore(_ a: Int, _ b: Int, _ order: CellOrder) -> Bool {
    switch order {
    case .class: ids[a] < ids[b]
    case .score: scores[a] > scores[b] || (scores[a] == scores[b] && ids[a] < ids[b])
    }
  }
}
