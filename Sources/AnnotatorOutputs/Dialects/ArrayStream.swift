import Relabel

/// An array that is read front to back.
protocol ArrayStream {
  /// What the array is, before anything else is read.
  func header() throws(RelabelError) -> NumPyHeader
  /// Exactly `count` bytes, little-endian.
  func read(_ count: Int) throws(RelabelError) -> [UInt8]
  /// Makes sure that nothing is left.
  func finish() throws(RelabelError)
}

/// A `.npy` array in a zip member.
struct ZippedArray: ArrayStream {
  private let reader: ArchiveReader
  private let size: Int

  /// Starts at the member whose header `reader` has just read.
  init(reader: ArchiveReader, member: ArchiveReader.Member) throws(RelabelError) {
    guard let size = member.size else {
      throw RelabelError(.invalidInput, "the array's size is not declared in the zip file")
    }
    self.reader = reader
    self.size = size
  }

  /// The array's header, which has to agree with the member's size.
  func header() throws(RelabelError) -> NumPyHeader {
    var head = try read(NumPyHeader.prefixBytes)
    let (prefix, length) = try NumPyHeader.lengths(head)
    head += try read(max(prefix + length - head.count, 0))
    let header = try NumPyHeader(head)
    guard header.length == head.count else {
      throw RelabelError(.invalidInput, "the array's header is malformed: it is too short")
    }
    try header.check(fileBytes: size)
    return header
  }

  /// Exactly `count` bytes.
  func read(_ count: Int) throws(RelabelError) -> [UInt8] {
    var failure: RelabelError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(RelabelError) {
        filled = try reader.read(into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard bytes.count == count else {
      throw RelabelError(.invalidInput, "the array is truncated")
    }
    return bytes
  }

  /// Reads the member's end, where its checksum is compared.
  func finish() throws(RelabelError) {
    var byte: UInt8 = 0
    var failure: RelabelError?
    let count = withUnsafeMutableBytes(of: &byte) { buffer in
      do throws(RelabelError) {
        return try reader.read(into: buffer)
      } catch {
        failure = error
        return 0
      }
    }
    if let failure { throw failure }
    guard count == 0 else {
      throw RelabelError(.invalidInput, "trailing bytes follow the array")
    }
  }
}
