internal import Synchronization

/// The bytes of a file that is read from its start to its end and hashed on the way: what is looked at is what
/// was hashed, and the disk is read once.
///
/// Bytes that come next are given from memory, those that lie elsewhere are read once more. Callable from
/// any thread; the lock is held while a piece is hashed.
package final class HashedBytes: ByteSource, @unchecked Sendable {
  // Unchecked: everything but the file is used under the lock.
  private let file: FileBytes
  private let lock = Mutex<Void>(())
  private let window: UnsafeMutableRawBufferPointer
  /// The part of the file that is in the window; what lies before its end is hashed.
  private var held: Range<UInt64> = 0..<0
  private var digest: Digest? = Digest()

  /// Stays in a core's cache.
  private static let windowBytes = 256 << 10
  /// Bytes farther ahead are no reason to hash all that lies between.
  private static let reach: UInt64 = 1 << 20

  package init(_ file: FileBytes) {
    self.file = file
    window = .allocate(byteCount: Self.windowBytes, alignment: 64)
  }

  deinit { window.deallocate() }

  package var byteCount: UInt64 { file.byteCount }

  package func bytes(at offset: UInt64, count: Int) throws(RelabelError) -> [UInt8] {
    let near = try lock.withLock { _ throws(RelabelError) -> [UInt8]? in
      let end = offset + UInt64(count)
      guard digest != nil, offset >= held.lowerBound, end <= held.upperBound + Self.reach,
        count <= Self.windowBytes / 2
      else { return nil }
      while held.upperBound < end { try readOn(keepingFrom: offset) }
      let start = Int(offset - held.lowerBound)
      return Array(UnsafeRawBufferPointer(rebasing: window[start..<start + count]))
    }
    if let near { return near }
    return try file.bytes(at: offset, count: count)
  }

  /// Reads to the end of the file and gives its SHA-256 as hexadecimal digits.
  ///
  /// To be called once.
  /// - Throws: `.io` when the system refuses.
  package func finish() throws(RelabelError) -> String {
    try lock.withLock { _ throws(RelabelError) -> String in
      while held.upperBound < byteCount { try readOn(keepingFrom: held.upperBound) }
      guard let digest = digest.take() else {
        throw RelabelError(.internalFault, "a digest was asked for twice")
      }
      return digest.hex()
    }
  }

  /// Fills the window with what comes next, behind what of it lies at `offset` and on.
  private func readOn(keepingFrom offset: UInt64) throws(RelabelError) {
    let kept = min(max(offset, held.lowerBound), held.upperBound)..<held.upperBound
    let count = Int(kept.upperBound - kept.lowerBound)
    let start = Int(kept.lowerBound - held.lowerBound)
    window.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[start..<start + count]))
    let room = min(UInt64(Self.windowBytes - count), byteCount - kept.upperBound)
    let piece = UnsafeMutableRawBufferPointer(rebasing: window[count..<count + Int(room)])
    try file.read(at: kept.upperBound, into: piece)
    digest?.update(UnsafeRawBufferPointer(piece))
    held = kept.lowerBound..<kept.upperBound + room
  }
}
