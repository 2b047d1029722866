import HDF5
import Relabel
import Testing

@Suite("Chunk filters")
struct CodecTests {
  struct ChecksumVector: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    let checksum: UInt32
    var testDescription: String { "\(bytes.count) bytes" }

    static func ones(_ count: Int, _ checksum: UInt32) -> ChecksumVector {
      ChecksumVector(bytes: [UInt8](repeating: 0xFF, count: count), checksum: checksum)
    }

    static func ramp(_ count: Int, _ checksum: UInt32) -> ChecksumVector {
      ChecksumVector(
        bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) },
        checksum: checksum
      )
    }
  }

  // Made by libhdf5 1.14 through h5py: the last four bytes of a stored chunk.
  @Test(
    "fletcher32 is the HDF5 library's, folding included",
    arguments: [
      ChecksumVector.ones(2, 0xFFFF_FFFF), .ones(3, 0xFF00_FF00), .ones(720, 0xFFFF_FFFF),
      .ones(722, 0xFFFF_FFFF), .ramp(1, 0x0B00_0B00), .ramp(5, 0x6B85_FFAA),
      .ramp(719, 0x2949_6276), .ramp(721, 0xA8AB_7E6C), .ramp(4501, 0xE72D_BF8B),
      .ones(5762, 0xFFFF_FFFF), .ones(11_523, 0xFF00_FF00), .ramp(5760, 0x4936_1A65),
      .ramp(5762, 0xEF4B_A615), .ramp(11_523, 0x5C6F_94FB), .ramp(36_008, 0x07FC_4EB8),
    ]
  )
  func fletcher32(_ vector: ChecksumVector) {
    #expect(Fletcher32.checksum(vector.bytes.span) == vector.checksum)
  }

  @Test("Shuffle puts equal bytes together", arguments: [1, 2, 4, 8])
  func shuffle(_ size: Int) {
    let bytes = (0..<size * 5).map(UInt8.init)
    let shuffled = Shuffle.shuffled(bytes, elementSize: size)
    for element in 0..<5 {
      for byte in 0..<size { #expect(shuffled[byte * 5 + element] == bytes[element * size + byte]) }
    }
    #expect(Shuffle.unshuffled(shuffled, elementSize: size) == bytes)
  }

  private func codec(_ filters: [Filter]) -> ChunkCodec {
    ChunkCodec(
      DatasetDescription(
        type: .uint16,
        shape: [4, 100],
        maximumShape: [nil, 100],
        chunk: [4, 100],
        filters: filters,
        fillValue: nil
      )
    )
  }

  private var raw: [UInt8] { (0..<800).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) } }

  @Test("Any damaged bit of a stored chunk is seen")
  func damage() throws {
    let codec = codec([.shuffle, .deflate(level: 6), .fletcher32])
    let stored = codec.encode(raw)
    #expect(try codec.decode(stored, skipped: 0) == raw)
    for bit in stride(from: 0, to: stored.count * 8, by: 7) {
      var damaged = stored
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: ChunkFault.self) { try codec.decode(damaged, skipped: 0) }
    }
    #expect(throws: ChunkFault.tooShort) { try codec.decode([1, 2, 3], skipped: 0) }
    #expect(throws: ChunkFault.checksumSkipped) { try codec.decode(stored, skipped: 0b100) }
  }

  @Test("Bytes behind the zlib stream are refused even under a right checksum")
  func trailingBytes() throws {
    let codec = codec([.deflate(level: 6), .fletcher32])
    let plain = ChunkCodec(
      DatasetDescription(
        type: .uint8,
        shape: [1],
        maximumShape: [nil],
        chunk: [codec.encode(raw).count - 4 + 1],
        filters: [.fletcher32],
        fillValue: nil
      )
    )
    let padded = plain.encode(codec.encode(raw).dropLast(4) + [0])
    #expect(throws: ChunkFault.stream) { try codec.decode(padded, skipped: 0) }
  }

  @Test("A filter that the mask skips is not undone")
  func skippedFilter() throws {
    let codec = codec([.shuffle, .deflate(level: 6), .fletcher32])
    let stored = self.codec([.fletcher32]).encode(raw)
    #expect(try codec.decode(stored, skipped: 0b011) == raw)
  }

  @Test("binary16 widens exactly, every pattern")
  func widen() {
    for pattern in UInt16.min...UInt16.max {
      let (ours, theirs) = (Float16Bits.widen(pattern), Float(Float16(bitPattern: pattern)))
      #expect(ours == theirs || (ours.isNaN && theirs.isNaN), "pattern \(pattern)")
    }
  }

  @Test("binary16 narrows to nearest, ties to even")
  func narrow() {
    var state: UInt32 = 1
    for _ in 0..<200_000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      // All exponents around the range of binary16, subnormal and overflowing ones included.
      let value = Float(bitPattern: (state & 0x807F_FFFF) | ((98 + (state >> 8) % 50) << 23))
      #expect(Float16Bits.narrow(value) == Float16(value).bitPattern, "\(value)")
    }
    for value: Float in [0, -0.0, 65_504, 65_519.996, 65_520, 1e-8, 5.9604645e-8, .infinity] {
      #expect(Float16Bits.narrow(value) == Float16(value).bitPattern, "\(value)")
    }
    #expect(Float16Bits.narrow(.nan) & 0x7C00 == 0x7C00 && Float16Bits.narrow(.nan) & 0x3FF != 0)
  }

  @Test("Results keep the order of the items", arguments: [1, 2, 7])
  func parallel(_ jobs: Int) {
    #expect(Parallel.map(1000, jobs: jobs) { $0 * 3 } == (0..<1000).map { $0 * 3 })
    #expect(Parallel.map(0, jobs: jobs) { $0 }.isEmpty)
  }
}

extension ChunkCodec {
  fileprivate func decode(_ stored: [UInt8], skipped: UInt32) throws -> [UInt8] {
    try stored.withUnsafeBytes { try decode($0, skipped: skipped) }
  }
}
