import Relabel

/// The bytes of a pipe, or of files that are read front to back, the first of which have been looked at.
///
/// Belongs to one thread at a time.
final class StreamBytes {
  private let files: [OpenFile]
  /// Which of the files is being read.
  private var place = 0
  private let buffer: UnsafeMutableRawBufferPointer
  /// The part of the buffer that was not taken yet.
  private var waiting: Range<Int> = 0..<0
  /// Bytes that were read from the file.
  private(set) var bytesRead: Int64 = 0
  /// Why reading failed inside a library that can't say so.
  private(set) var failure: RelabelError?

  private static let bufferBytes = 64 << 10
  /// More than this is taken piece by piece.
  private static let pieceBytes = 4 << 20

  /// - Parameters:
  ///   - file: where to begin.
  ///   - parts: the files that go on where it ends.
  init(_ file: OpenFile, then parts: [OpenFile] = []) {
    files = [file] + parts
    buffer = .allocate(byteCount: Self.bufferBytes, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// Bytes of all files together where there are several; nil for a pipe or one file.
  var bytesOfParts: Int64? {
    files.count == 1 ? nil : files.reduce(0) { $0 + Int64($1.size) }
  }

  /// True when the next bytes are `expected`, which stay where they are.
  ///
  /// - Throws: `.io`.
  func begin(with expected: [UInt8]) throws(RelabelError) -> Bool {
    while waiting.count < expected.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[waiting.upperBound...])
      let count = try readOn(into: rest)
      if count == 0 { return false }
      bytesRead += Int64(count)
      waiting = waiting.lowerBound..<waiting.upperBound + count
    }
    return buffer[waiting].starts(with: expected)
  }

  /// The next bytes, as many as come at once; none at the end.
  ///
  /// They stay until the next call.
  ///
  /// - Throws: `.io`.
  func some() throws(RelabelError) -> UnsafeRawBufferPointer {
    if waiting.isEmpty { try fill() }
    defer { waiting = 0..<0 }
    return UnsafeRawBufferPointer(rebasing: buffer[waiting])
  }

  /// The next bytes for a library that knows no errors of ours; nil when reading failed.
  func someOrFailure() -> UnsafeRawBufferPointer? {
    do throws(RelabelError) {
      return try some()
    } catch {
      failure = error
      return nil
    }
  }

  /// The next `count` bytes; fewer where the end comes first.
  ///
  /// Grows with what really arrives: a declared size alone must not allocate anything large.
  ///
  /// - Throws: `.io`.
  func take(_ count: Int) throws(RelabelError) -> [UInt8] {
    var bytes = try piece(min(count, Self.pieceBytes))
    while bytes.count < count, bytes.count % Self.pieceBytes == 0, !bytes.isEmpty {
      let piece = try piece(min(count - bytes.count, Self.pieceBytes))
      if piece.isEmpty { break }
      bytes += piece
    }
    return bytes
  }

  private func piece(_ count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      do throws(RelabelError) {
        let target = UnsafeMutableRawBufferPointer(bytes)
        while filled < count {
          let rest = UnsafeMutableRawBufferPointer(rebasing: target[filled...])
          let got = try take(into: rest)
          if got == 0 { return }
          filled += got
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  private func take(into target: UnsafeMutableRawBufferPointer) throws(RelabelError) -> Int {
    // What is as long as the buffer need not go through it.
    if waiting.isEmpty, target.count >= buffer.count {
      let count = try readOn(into: target)
      bytesRead += Int64(count)
      return count
    }
    if waiting.isEmpty { try fill() }
    let count = min(waiting.count, target.count)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[waiting.prefix(count)]))
    waiting = waiting.dropFirst(count)
    return count
  }

  private func fill() throws(RelabelError) {
    let count = try readOn(into: buffer)
    bytesRead += Int64(count)
    waiting = 0..<count
  }

  /// The next bytes of the file at hand, or of the first behind it that has some.
  private func readOn(into target: UnsafeMutableRawBufferPointer) throws(RelabelError) -> Int {
    while true {
      let count = try files[place].readOn(into: target)
      if count > 0 || place + 1 == files.count { return count }
      place += 1
    }
  }
}
