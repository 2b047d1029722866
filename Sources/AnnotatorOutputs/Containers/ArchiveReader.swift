import CArchive
import Relabel

/// A tar or zip file read by libarchive, front to back.
///
/// Not thread safe; never writes anything to disk.
final class ArchiveReader {
  /// The header of a member.
  struct Member {
    let name: [UInt8]
    let kind: Kind
    /// Bytes of the member's contents, or nil when its header doesn't say.
    let size: Int?
    let isSparse: Bool
    /// The name of the member that this is another name of.
    let hardLink: [UInt8]?
  }

  enum Kind { case regular, directory, link, special }

  private let handle: OpaquePointer
  private let noun: String
  private let input: StreamBytes?

  /// A tar file, compressed or not, from an open descriptor that the caller closes.
  convenience init(tar descriptor: Int32) throws(RelabelError) {
    try self.init(noun: "the tar file")
    try enableTar()
    try check(archive_read_open_fd(handle, descriptor, 64 << 10))
  }

  /// A tar file, compressed or not, whose first bytes have been looked at.
  convenience init(tar input: StreamBytes) throws(RelabelError) {
    try self.init(noun: "the tar file", input)
    try enableTar()
    // The bytes live as long as the reader, which holds them.
    let bytes = Unmanaged.passUnretained(input).toOpaque()
    try check(
      archive_read_open(
        handle,
        bytes,
        nil,
        { _, bytes, start in
          guard let bytes else { return -1 }
          let input = Unmanaged<StreamBytes>.fromOpaque(bytes).takeUnretainedValue()
          guard let some = input.someOrFailure() else { return -1 }
          start?.pointee = some.baseAddress
          return some.count
        },
        nil
      )
    )
  }

  private func enableTar() throws(RelabelError) {
    for enable in [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
      archive_read_support_filter_xz, archive_read_support_filter_zstd,
      archive_read_support_format_tar,
    ] {
      // ARCHIVE_WARN means an external program; without it the filter just never matches.
      guard enable(handle) >= ARCHIVE_WARN else { throw failure() }
    }
    // `cat a.tar b.tar`: without this everything after the first end mark is dropped silently.
    try check(archive_read_set_format_option(handle, "tar", "read_concatenated_archives", "1"))
  }

  /// A zip file from an open descriptor that the caller closes.
  convenience init(zip descriptor: Int32) throws(RelabelError) {
    try self.init(noun: "the zip container")
    try check(archive_read_support_format_zip_seekable(handle))
    try check(archive_read_open_fd(handle, descriptor, 64 << 10))
  }

  /// A zip file in memory that has to stay there as long as the reader.
  convenience init(zip bytes: UnsafeRawBufferPointer) throws(RelabelError) {
    try self.init(noun: "the zip container")
    try check(archive_read_support_format_zip_seekable(handle))
    try check(archive_read_open_memory(handle, bytes.baseAddress, bytes.count))
  }

  private init(noun: String, _ input: StreamBytes? = nil) throws(RelabelError) {
    guard let handle = archive_read_new() else {
      throw RelabelError(.internalFault, "libarchive can't start")
    }
    self.handle = handle
    self.noun = noun
    self.input = input
  }

  deinit { archive_read_free(handle) }

  /// Bytes of the uncompressed stream that were consumed: after `next()`, where the contents start.
  var position: Int { Int(archive_filter_bytes(handle, 0)) }

  /// Bytes that were taken from the file or pipe.
  var rawPosition: Int64 { archive_filter_bytes(handle, -1) }

  /// True when the stream is compressed; known after the first `next()`.
  var isCompressed: Bool { archive_filter_code(handle, 0) != ARCHIVE_FILTER_NONE }

  /// The next member, or nil at the end.
  func next() throws(RelabelError) -> Member? {
    // In a UTF-8 locale libarchive normalises names; the C locale leaves their bytes as they are.
    let locale = PlainLocale()
    defer { locale.leave() }
    var entry: OpaquePointer?
    let status = archive_read_next_header(handle, &entry)
    if status == ARCHIVE_EOF { return nil }
    guard status == ARCHIVE_OK || (status == ARCHIVE_WARN && onlyWarnsAboutNames) else {
      throw failure()
    }
    guard let entry, let name = archive_entry_pathname(entry) else {
      throw RelabelError(.invalidInput, "\(noun) has a member without a name")
    }
    return Member(
      name: CText.bytes(of: name),
      kind: kind(of: entry),
      size: archive_entry_size_is_set(entry) == 0 ? nil : Int(archive_entry_size(entry)),
      isSparse: archive_entry_sparse_count(entry) > 0,
      hardLink: archive_entry_hardlink(entry).map(CText.bytes(of:))
    )
  }

  /// Fills `buffer` with the contents of the member as far as they go.
  ///
  /// - Returns: how many bytes were there; fewer than asked for only at the end of the member, and
  ///   only when its checksum, if it has one, agrees.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(RelabelError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let got = archive_read_data(handle, rest.baseAddress, rest.count)
      guard got >= 0 else { throw failure() }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  /// The whole contents of the member, which may have at most `limit` bytes.
  func contents(of member: Member, limit: Int) throws(RelabelError) -> [UInt8] {
    // Only where it is told: of millions of members hardly one is.
    var name: String { String(escaping: member.name) }
    if let size = member.size, size > limit {
      throw RelabelError(
        .unsafeInput,
        "the member '\(name)' declares \(size) bytes; at most \(limit) are held in memory"
      )
    }
    // Grows with what really arrives: a declared size alone must not allocate anything large.
    var bytes: [UInt8] = []
    var step = min(max(member.size ?? 0, 1 << 10), 1 << 20)
    while true {
      var failure: RelabelError?
      let piece = [UInt8](unsafeUninitializedCapacity: step) { buffer, filled in
        do throws(RelabelError) {
          filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      let isLast = piece.count < step
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      guard bytes.count <= limit else {
        throw RelabelError(.unsafeInput, "the member '\(name)' has more than \(limit) bytes")
      }
      if isLast { break }
      step = bytes.count == member.size ? 16 : 1 << 20
    }
    if let size = member.size, bytes.count != size {
      throw RelabelError(
        .invalidInput,
        "the member '\(name)' has \(bytes.count) bytes, its header declares \(size)"
      )
    }
    return bytes
  }

  private func kind(of entry: OpaquePointer) -> Kind {
    if archive_entry_hardlink(entry) != nil { return .regular }
    return switch FileKind(mode: archive_entry_filetype(entry)) {
    case .regular: .regular
    case .folder: .directory
    case .link: .link
    case .pipe, .other: .special
    }
  }

  private var errorText: String {
    let text = archive_error_string(handle).map { String(cString: $0) } ?? "unknown error"
    // Some of the library's messages end a line.
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  private var onlyWarnsAboutNames: Bool { errorText.contains("converted") }

  private func check(_ status: Int32) throws(RelabelError) {
    guard status == ARCHIVE_OK else { throw failure() }
  }

  private func failure() -> RelabelError {
    if let failure = input?.failure { return failure }
    return RelabelError(.invalidInput, "\(noun) is damaged or truncated: \(errorText)")
  }
}
