import Relabel

/// The images of a tar archive that is read front to back; nothing is unpacked to disk.
final class TarArrivals: ArrivalSource {
  private let name: String
  private let input: StreamBytes
  private let options: InputOptions
  private var spool: Spool
  private var reader: ArchiveReader?
  private var end = TarEnd()

  private(set) var ignored: [String] = []
  private(set) var bytesRead: Int64 = 0
  let traits: SourceTraits? = nil

  /// - Throws: `.invalidInput` if the file is not an archive.
  init(_ input: StreamBytes, _ name: String, _ options: InputOptions) throws(RelabelError) {
    self.name = name
    self.input = input
    self.options = options
    spool = Spool(directory: options.spoolDirectory)
    reader = try ArchiveReader(tar: input)
  }

  /// Reads one member, which may hold many images.
  ///
  /// Holds the bytes of at most one member, in the images it came to.
  ///
  /// - Throws: what shows that the archive is damaged.
  func read(_ admit: (Arrival) -> Void) throws(RelabelError) -> Bool {
    guard let reader else { return false }
    defer { bytesRead = reader.rawPosition }
    guard let member = try reader.next() else {
      self.reader = nil
      try end.check(reader.position)
      if let bytes = input.bytesOfParts, reader.rawPosition < bytes {
        throw RelabelError(
          .invalidInput,
          "the archive ends \(bytes - reader.rawPosition) bytes before the last of its parts does: the files are not"
            + " the parts of one archive in their order"
        )
      }
      return false
    }
    end.note(member, at: reader.position)
    switch MemberVerdict(member, prefix: name + ":", options) {
    case .skip: break
    case .ignore(let path): ignored.append(path)
    case .refuse(let key, let place, let error):
      admit(Arrival(key: key, entry: .failing(error, at: place)))
    case .readLinked(_, let key, let place, let target):
      let error = RelabelError(
        .unsafeInput,
        "the member is a hard link to '\(String(escaping: target))', which has passed in a stream; make the"
          + " archive with tar --hard-dereference, or give it uncompressed"
      )
      admit(Arrival(key: key, entry: .failing(error, at: place)))
    case .read(let dialect, let key, let place):
      try read(member, dialect, key, place, from: reader, admit)
    }
    return true
  }

  private func read(
    _ member: ArchiveReader.Member,
    _ dialect: any Dialect,
    _ key: String,
    _ place: Place,
    from reader: ArchiveReader,
    _ admit: (Arrival) -> Void
  ) throws(RelabelError) {
    if let size = member.size, size > Limits.memberBytes {
      let message = "the member declares \(size) bytes; at most \(Limits.memberBytes) are held"
      let error = RelabelError(.unsafeInput, message)
      return admit(Arrival(key: key, entry: .failing(error, at: place)))
    }
    let bytes = try reader.contents(of: member, limit: Limits.memberBytes)
    let region = ByteRegion(storage: .memory(bytes), offset: 0, count: bytes.count)
    do throws(RelabelError) {
      let found = try FoundFile(dialect, region, key: key, at: place, options, &spool)
      try found.forEach { key, entry in admit(Arrival(key: key, entry: entry)) }
    } catch {
      admit(Arrival(key: key, entry: .failing(error, at: place)))
    }
  }
}
