/// The checksum of HDF5's metadata: Bob Jenkins's lookup3, little-endian, initial value 0.
enum Lookup3 {
  /// The checksum of the first `count` bytes.
  static func checksum(_ bytes: [UInt8], count: Int) -> UInt32 {
    bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (a, b, c) = (0xDEAD_BEEF, 0xDEAD_BEEF, 0xDEAD_BEEF) as (UInt32, UInt32, UInt32)
    let length = UInt32(truncatingIfNeeded: bytes.count)
    a &+= length
    b &+= length
    c &+= length
    var start = 0
    while bytes.count - start > 12 {
      add(bytes, start, &a, &b, &c)
      mix(&a, &b, &c)
      start += 12
    }
    // The last 1 to 12 bytes count as if zeros followed.
    withUnsafeTemporaryAllocation(byteCount: 12, alignment: 4) { tail in
      tail.initializeMemory(as: UInt8.self, repeating: 0)
      tail.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start...]))
      add(UnsafeRawBufferPointer(tail), 0, &a, &b, &c)
    }
    finish(&a, &b, &c)
    return c
  }

  @inline(__always)
  private static func add(
    _ bytes: UnsafeRawBufferPointer,
    _ start: Int,
    _ a: inout UInt32,
    _ b: inout UInt32,
    _ c: inout UInt32
  ) {
    a &+= UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    b &+= UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start &+ 4, as: UInt32.self))
    c &+= UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start &+ 8, as: UInt32.self))
  }

  @inline(__always)
  private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    turn(&a, &b, &c, 4, 6, 8)
    turn(&a, &b, &c, 16, 19, 4)
  }

  @inline(__always)
  private static func turn(
    _ a: inout UInt32,
    _ b: inout UInt32,
    _ c: inout UInt32,
    _ first: UInt32,
    _ second: UInt32,
    _ third: UInt32
  ) {
    a = (a &- c) ^ rotated(c, first)
    c &+= b
    b = (b &- a) ^ rotated(a, second)
    a &+= c
    c = (c &- b) ^ rotated(b, third)
    b &+= a
  }

  private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    c = (c ^ b) &- rotated(b, 14)
    a = (a ^ c) &- rotated(c, 11)
    b = (b ^ a) &- rotated(a, 25)
    c = (c ^ b) &- rotated(b, 16)
    a = (a ^ c) &- rotated(c, 4)
    b = (b ^ a) &- rotated(a, 14)
    c = (c ^ b) &- rotated(b, 24)
  }

  @inline(__always)
  private static func rotated(_ value: UInt32, _ bits: UInt32) -> UInt32 {
    value &<< bits | value &>> (32 &- bits)
  }
}
