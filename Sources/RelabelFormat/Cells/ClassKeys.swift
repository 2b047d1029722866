/// Stored class ids as signed numbers that compare within a cell as the ids do.
///
/// The highest bit says whether the cell's number is odd: ids of cells side by side are then never
/// equal, so that whole maps can be compared with themselves, shifted.
@usableFromInline
package struct ClassKeys<Lane: FixedWidthInteger & SignedInteger & Sendable>: Sendable {
  @usableFromInline
  let isWide: Bool
  @usableFromInline
  let highest: Lane
  @usableFromInline
  let fits: Bool
  /// The highest bit for each entry of a map.
  @usableFromInline
  let parity: [Lane]

  @inlinable
  package init(_ form: MapForm) {
    isWide = form.hasWideIDs
    fits = Self.holds(form.numClasses)
    highest = Lane(clamping: form.numClasses - 1)
    let topK = form.shape.topK
    parity = (0..<form.shape.entries).map { $0 / topK % 2 == 0 ? 0 : Lane.min }
  }

  /// True when the ids of so many classes leave the highest bit free.
  @inlinable
  package static func holds(_ numClasses: Int) -> Bool { numClasses - 1 <= Int(Lane.max) }

  /// The id of a key.
  @inlinable @inline(__always)
  package static func id(_ key: Lane) -> Int { Int(truncatingIfNeeded: key & Lane.max) }

  /// The keys of a map's stored ids.
  ///
  /// - Returns: false when an id is not below the number of classes, or may not be; its key is then
  ///   of no use but for comparisons.
  @inlinable
  package func read(_ stored: UnsafeRawPointer, into keys: UnsafeMutablePointer<Lane>) -> Bool {
    isWide ? read(stored, as: UInt32.self, into: keys) : read(stored, as: UInt16.self, into: keys)
  }

  @inlinable @inline(__always)
  func read<Stored: FixedWidthInteger>(
    _ stored: UnsafeRawPointer,
    as type: Stored.Type,
    into keys: UnsafeMutablePointer<Lane>
  ) -> Bool {
    parity.withUnsafeBufferPointer { parity in
      // The sign of an id that has the highest bit, or of what is left below the highest class.
      var signs: Lane = 0
      for entry in 0..<parity.count {
        let offset = entry &* MemoryLayout<Stored>.size
        let value = stored.loadUnaligned(fromByteOffset: offset, as: Stored.self)
        let id = Lane(truncatingIfNeeded: Stored(littleEndian: value))
        signs |= id | (highest &- id)
        keys[entry] = id ^ parity[entry]
      }
      return signs >= 0 && fits
    }
  }
}
