/// A 64-bit hash of a map's decoded bytes, to find maps that stand for several images (rule V013).
///
/// Blocks of 64 bytes go into four lanes of 16, each folded by the 128-bit product of its two words;
/// the last block may overlap the one before, or is filled with zeros where there is none. Two maps
/// that somebody made collide on purpose cost a needless warning and no more.
package enum MapDigest {
  private static var keys: (UInt64, UInt64, UInt64, UInt64) {
    (0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3)
  }

  /// The hash of two runs of bytes; never 0, which stands for a map that was not read.
  package static func of(_ ids: UnsafeRawBufferPointer, _ scores: UnsafeRawBufferPointer) -> UInt64
  {
    let hash = folded(absorb(scores, into: absorb(ids, into: keys)))
    return hash == 0 ? 1 : hash
  }

  private typealias State = (UInt64, UInt64, UInt64, UInt64)

  private static func absorb(_ bytes: UnsafeRawBufferPointer, into start: State) -> State {
    var state = start
    let whole = bytes.count / 64 * 64
    for offset in stride(from: 0, to: whole, by: 64) { add(bytes, offset, &state) }
    if bytes.count >= 64 {
      if whole < bytes.count { add(bytes, bytes.count - 64, &state) }
    } else {
      withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { block in
        block.initializeMemory(as: UInt8.self, repeating: 0)
        block.copyMemory(from: bytes)
        add(UnsafeRawBufferPointer(block), 0, &state)
      }
    }
    state.0 ^= UInt64(bytes.count)
    return state
  }

  @inline(__always)
  private static func add(_ bytes: UnsafeRawBufferPointer, _ offset: Int, _ state: inout State) {
    func word(_ place: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset &+ place, as: UInt64.self))
    }
    state.0 = product(word(0) ^ keys.0, word(8) ^ state.0)
    state.1 = product(word(16) ^ keys.1, word(24) ^ state.1)
    state.2 = product(word(32) ^ keys.2, word(40) ^ state.2)
    state.3 = product(word(48) ^ keys.3, word(56) ^ state.3)
  }

  private static func folded(_ state: State) -> UInt64 {
    product(product(state.0, state.1 ^ keys.0) ^ state.2, state.3 ^ keys.1)
  }

  /// Both halves of a product, one upon the other.
  @inline(__always)
  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
