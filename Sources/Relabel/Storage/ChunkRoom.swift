/// Memory of one thread for a chunk that is read and decoded, used again for the next.
///
/// Not thread-safe.
package final class ChunkRoom {
  private var stored = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var inflated = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var unshuffled = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private(set) lazy var decompressor = Deflate.Decompressor()

  package init() {}

  deinit {
    stored.deallocate()
    inflated.deallocate()
    unshuffled.deallocate()
  }

  /// Room for `count` bytes as they are stored.
  func stored(_ count: Int) -> UnsafeMutableRawBufferPointer { Self.room(&stored, count) }

  /// Room for `count` bytes that deflate was undone for.
  func inflated(_ count: Int) -> UnsafeMutableRawBufferPointer { Self.room(&inflated, count) }

  /// Room for `count` bytes that shuffle was undone for.
  func unshuffled(_ count: Int) -> UnsafeMutableRawBufferPointer { Self.room(&unshuffled, count) }

  private static func room(
    _ held: inout UnsafeMutableRawBufferPointer,
    _ count: Int
  ) -> UnsafeMutableRawBufferPointer {
    if held.count < count {
      held.deallocate()
      held = .allocate(byteCount: count, alignment: 64)
    }
    return UnsafeMutableRawBufferPointer(rebasing: held[..<count])
  }
}
