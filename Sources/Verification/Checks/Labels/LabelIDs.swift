/// Stored class ids as signed numbers that compare as the ids do: the id less half the range.
enum LabelIDs {
  /// The key of an id.
  @inline(__always)
  static func key<Lane: FixedWidthInteger & SignedInteger>(_ id: UInt32) -> Lane {
    Lane(truncatingIfNeeded: id) ^ Lane.min
  }

  /// The id of a key.
  @inline(__always)
  static func id<Lane: FixedWidthInteger & SignedInteger>(_ key: Lane) -> Int {
    Int(key) &- Int(Lane.min)
  }

  /// The keys of `count` stored ids.
  static func read<Lane: FixedWidthInteger & SignedInteger>(
    _ stored: UnsafeRawPointer,
    isWide: Bool,
    _ count: Int,
    into keys: UnsafeMutablePointer<Lane>
  ) {
    if isWide {
      for entry in 0..<count {
        let id = stored.loadUnaligned(fromByteOffset: entry &* 4, as: UInt32.self)
        keys[entry] = key(UInt32(littleEndian: id))
      }
    } else {
      for entry in 0..<count {
        let id = stored.loadUnaligned(fromByteOffset: entry &* 2, as: UInt16.self)
        keys[entry] = key(UInt32(UInt16(littleEndian: id)))
      }
    }
  }
}
