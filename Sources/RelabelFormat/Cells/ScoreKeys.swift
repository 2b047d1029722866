/// Stored scores as signed numbers that compare as the decoded scores do.
///
/// The key of a packed score is its stored number less 32,768. That of a float is its magnitude bits
/// with its sign, so −0 has the key of +0. All keys of the narrow encodings fit in 16 bits.
@usableFromInline
package struct ScoreKeys<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  @usableFromInline
  let form: ScoreEncoding.Form
  @usableFromInline
  let step: Float
  @usableFromInline
  let offset: Float
  /// The lowest key of a score that is not below 0.
  @usableFromInline
  package private(set) var zero: Lane = 0
  /// The lowest and highest key of a score that breaks no rule by itself; no key lies between when
  /// the first is above the second.
  @usableFromInline
  package private(set) var sound: (lowest: Lane, highest: Lane)

  @inlinable
  static var half: Int32 { 32_768 }

  @usableFromInline
  init(_ encoding: ScoreEncoding, _ rules: CellRules) {
    form = encoding.name.form
    (step, offset) = (encoding.packing?.step ?? 1, encoding.packing?.offset ?? 0)
    // The keys of all finite scores, of which the rules allow one interval.
    let finite: ClosedRange<Int64> =
      switch form {
      case .packed8, .packed16: -32_768...(-32_768 + Int64(encoding.name.highestStored ?? 0))
      case .half: -0x7BFF...0x7BFF
      case .single: -0x7F7F_FFFF...0x7F7F_FFFF
      }
    sound = (0, 0)
    let low = Self.first(in: finite) { !rules.isTooLow(value(Lane($0))) }
    let high = Self.first(in: finite) { rules.isTooHigh(value(Lane($0))) } - 1
    sound = (Lane(low), Lane(high))
    let zero = Self.first(in: finite) { value(Lane($0)) >= 0 }
    // Where all scores are below 0, no key is that high; a lane has room for one more.
    self.zero = Lane(clamping: zero)
  }

  /// The first number of a range for which `holds`, which holds for all after it; one beyond the
  /// range when there is none.
  static func first(in range: ClosedRange<Int64>, where holds: (Int64) -> Bool) -> Int64 {
    var (low, high) = (range.lowerBound, range.upperBound + 1)
    while low < high {
      let middle = low + (high - low) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The decoded score of a key.
  @inlinable
  package func value(_ key: Lane) -> Float {
    switch form {
    case .packed8, .packed16: Float(Int32(key) + Self.half) * step + offset
    case .half: Float16Bits.widen(UInt16(key.magnitude) | (key < 0 ? 0x8000 : 0))
    case .single: Float(bitPattern: UInt32(key.magnitude) | (key < 0 ? 0x8000_0000 : 0))
    }
  }

  // Loops without branches or traps inside, which the compiler turns into vector instructions.

  /// The keys of `count` stored scores.
  @inlinable
  package func read(_ stored: UnsafeRawPointer, _ count: Int, into keys: UnsafeMutablePointer<Lane>)
  {
    switch form {
    case .packed16: Self.read(stored, as: UInt16.self, count, keys) { Self.packed(Int32($0)) }
    case .packed8: Self.read(stored, as: UInt8.self, count, keys) { Self.packed(Int32($0)) }
    case .half:
      Self.read(stored, as: Int16.self, count, keys) {
        Lane(truncatingIfNeeded: $0 < 0 ? 0 &- ($0 & 0x7FFF) : $0)
      }
    case .single:
      Self.read(stored, as: Int32.self, count, keys) {
        Lane(truncatingIfNeeded: $0 < 0 ? 0 &- ($0 & 0x7FFF_FFFF) : $0)
      }
    }
  }

  /// True when each of `count` stored scores is a finite number.
  package func areFinite(_ stored: UnsafeRawPointer, _ count: Int) -> Bool {
    switch form {
    // Adding the lowest bit of the exponent carries into the sign where all of its bits are set.
    case .half: Self.none(stored, as: UInt16.self, count) { ($0 & 0x7C00) &+ 0x0400 }
    case .single: Self.none(stored, as: UInt32.self, count) { ($0 & 0x7F80_0000) &+ 0x0080_0000 }
    // The highest number stands for "never written".
    case .packed16: Self.none(stored, as: UInt16.self, count) { $0 == .max ? .max : 0 }
    case .packed8: Self.none(stored, as: UInt8.self, count) { $0 == .max ? .max : 0 }
    }
  }

  /// True when `fault` sets the highest bit of none of some numbers.
  @inline(__always)
  private static func none<Stored: FixedWidthInteger & UnsignedInteger>(
    _ stored: UnsafeRawPointer,
    as type: Stored.Type,
    _ count: Int,
    _ fault: (Stored) -> Stored
  ) -> Bool {
    var faults: Stored = 0
    for entry in 0..<count {
      let offset = entry &* MemoryLayout<Stored>.size
      let value = stored.loadUnaligned(fromByteOffset: offset, as: Stored.self)
      faults |= fault(Stored(littleEndian: value))
    }
    return faults.leadingZeroBitCount != 0
  }

  @inlinable @inline(__always)
  static func packed(_ stored: Int32) -> Lane { Lane(truncatingIfNeeded: stored &- half) }

  @inlinable @inline(__always)
  static func read<Stored: FixedWidthInteger>(
    _ stored: UnsafeRawPointer,
    as type: Stored.Type,
    _ count: Int,
    _ keys: UnsafeMutablePointer<Lane>,
    _ key: (Stored) -> Lane
  ) {
    for entry in 0..<count {
      let offset = entry &* MemoryLayout<Stored>.size
      keys[entry] = key(
        Stored(littleEndian: stored.loadUnaligned(fromByteOffset: offset, as: Stored.self))
      )
    }
  }

  /// The decoded scores of `count` sound keys.
  @inlinable
  package func decode(
    _ keys: UnsafePointer<Lane>,
    _ count: Int,
    into values: UnsafeMutablePointer<Float>
  ) {
    switch form {
    case .packed8, .packed16:
      for entry in 0..<count {
        values[entry] = Float(Int32(truncatingIfNeeded: keys[entry]) &+ Self.half) * step + offset
      }
    case .half:
      // Without the cases of Float16Bits that sound scores don't have.
      for entry in 0..<count {
        let key = Int32(truncatingIfNeeded: keys[entry])
        let magnitude = Float(
          bitPattern: UInt32(truncatingIfNeeded: key < 0 ? 0 &- key : key) << 13
        )
        values[entry] = (key < 0 ? -magnitude : magnitude) * 0x1p112
      }
    case .single:
      for entry in 0..<count {
        let key = Int32(truncatingIfNeeded: keys[entry])
        let bits = UInt32(truncatingIfNeeded: key < 0 ? Int32.min &- key : key)
        values[entry] = Float(bitPattern: bits)
      }
    }
  }

  /// The mean of the decoded scores of `count` sound keys, of which there is at least one.
  @inlinable
  package func mean(
    _ keys: UnsafePointer<Lane>,
    _ count: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> Double {
    if form == .packed8 || form == .packed16 {
      let mean = Double(Self.sum(keys, count)) / Double(count)
      return (mean + Double(Self.half)) * Double(step) + Double(offset)
    }
    decode(keys, count, into: scratch)
    var sums = SIMD4<Double>.zero
    let whole = count / 4 * 4
    for entry in stride(from: 0, to: whole, by: 4) {
      sums += SIMD4(
        Double(scratch[entry]),
        Double(scratch[entry + 1]),
        Double(scratch[entry + 2]),
        Double(scratch[entry + 3])
      )
    }
    for entry in whole..<count { sums[0] += Double(scratch[entry]) }
    return sums.sum() / Double(count)
  }

  @inlinable
  static func sum(_ keys: UnsafePointer<Lane>, _ count: Int) -> Int {
    var sum = 0
    // In blocks whose sum fits in 32 bits.
    for start in stride(from: 0, to: count, by: 32_768) {
      var block: Int32 = 0
      for entry in start..<min(start + 32_768, count) {
        block &+= Int32(truncatingIfNeeded: keys[entry])
      }
      sum += Int(block)
    }
    return sum
  }
}
