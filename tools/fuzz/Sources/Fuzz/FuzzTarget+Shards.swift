import RelabelFormat
import HDF5
@testable import Relabel
@testable import RelabelVerification

extension FuzzTarget {
  /// The structure of a file, as it is and with every checksum made right.
  static let structure = FuzzTarget { bytes in
    _ = try? StructureWalk.findings(bytes)
    guard let findings = try? StructureWalk.findings(SealedBytes(bytes)) else {
      fatalError("bytes in memory can't be read")
    }
    for extent in findings.extents {
      precondition(extent.end <= bytes.count, "an extent ends outside the file")
    }
  }

  /// A stored chunk: byte 0 chooses filters, byte 1 the element size, bytes 2 and 3 the elements;
  /// then come the stored bytes, which get the checksum that is right.
  static let chunk = FuzzTarget { bytes in
    guard bytes.count >= 4 else { return }
    let compression: [Filter] = bytes[0] & 1 != 0 ? [.deflate(level: 1)] : []
    let codec = ChunkCodec(
      DatasetDescription(
        type: [.uint8, .uint16, .uint32, .uint64, .utf8(bytes: 3)][Int(bytes[1] % 5)],
        shape: [0],
        maximumShape: [nil],
        chunk: [1 + Int(bytes[2]) + Int(bytes[3]) << 8],
        filters: (bytes[0] & 2 != 0 ? [.shuffle] : []) + compression + [.fletcher32],
        fillValue: nil
      )
    )
    let stored = Array(bytes[4...])
    func decoded(_ stored: [UInt8], skipped: UInt32? = nil) -> [UInt8]? {
      stored.withUnsafeBytes { try? codec.decode($0, skipped: skipped ?? UInt32(bytes[0] >> 4)) }
    }
    _ = decoded(stored)
    let checksum = Fletcher32.checksum(stored.span)
    let sealed = stored + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    guard let raw = decoded(sealed) else { return }
    precondition(decoded(codec.encode(raw), skipped: 0) == raw, "a chunk changes")
  }
}
