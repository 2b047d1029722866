public import Relabel

/// The images of a pipe or compressed archive, one after the other; nothing is unpacked to disk.
///
/// The stream belongs to one thread at a time; the images it gives may go to any.
public final class ArrivalStream: @unchecked Sendable {
  // Sendable by the rule above: the state is only touched by the thread that calls.
  private let file: OpenFile
  private let name: String
  private let options: InputOptions
  private var admission: Admission
  private var spool: Spool
  private var reader: ArchiveReader?
  private var end = TarEnd()
  private var arrived: Int64 = 0
  private var sources: [ImageKey.Exact: Source] = [:]
  private var queue: [PendingImage] = []
  private var isListed: [Bool]
  /// Entries read ahead that peeking may have to look through at most.
  private static let maximumPeek = 64

  /// Files in the archive that are no input, as far as it has been read.
  public private(set) var ignored: [String] = []

  /// Images that came again as equal copies, as far as the archive has been read.
  public private(set) var copies: [String] = []

  /// Where a key has come from.
  private struct Source {
    let place: Place
    /// The digest of its bytes, where keys may meet that were two paths in the archive.
    let digest: String?
  }

  /// Bytes taken from the pipe or file so far.
  public private(set) var bytesRead: Int64 = 0

  init(_ file: OpenFile, _ name: String, _ options: InputOptions) throws(RelabelError) {
    self.file = file
    self.name = name
    self.options = options
    let list: ImageList?
    if let lines = options.imageList { list = try ImageList(lines) } else { list = nil }
    admission = Admission(options, list)
    spool = Spool(directory: options.spoolDirectory)
    isListed = [Bool](repeating: false, count: options.imageList?.count ?? 0)
  }

  /// Lines of the image list that no image has arrived for yet; meant for after the end.
  public var unmatchedListLines: [String] {
    guard let list = admission.list else { return [] }
    return zip(list.lines, isListed).filter { !$0.1 }.map(\.0)
  }

  /// The next image, or nil at the end of the stream.
  ///
  /// Holds the bytes of at most one member of the archive, in the images it came to.
  ///
  /// - Throws: `.io`. A damaged archive gives one image that fails, then the end.
  public func next() throws(RelabelError) -> PendingImage? {
    while queue.isEmpty {
      guard try readMember() else { return nil }
    }
    return queue.removeFirst()
  }

  /// Reads ahead to what settles the traits.
  func peek() throws(RelabelError) -> SourceTraits {
    do throws(RelabelError) {
      reader = try ArchiveReader(tar: file.descriptor)
    } catch {
      fail(error)
    }
    while !queue.contains(where: { !$0.entry.isFailing }), queue.count < Self.maximumPeek {
      guard try readMember() else { break }
    }
    guard !queue.isEmpty else {
      throw RelabelError(.usage, "nothing to read was found in the archive").located(
        Location(file: name)
      )
    }
    var traits = SourceTraitsTally(options)
    for image in queue { try traits.add(image.entry) }
    return traits.traits()
  }

  /// Reads one member into the queue, if it is an image; false at the end.
  private func readMember() throws(RelabelError) -> Bool {
    guard let reader else { return false }
    do throws(RelabelError) {
      defer { bytesRead = reader.rawPosition }
      guard let member = try reader.next() else {
        self.reader = nil
        try end.check(reader.position)
        return false
      }
      end.note(member, at: reader.position)
      switch MemberVerdict(member, prefix: name + ":", stripping: options.stripComponents) {
      case .skip: break
      case .ignore(let path): ignored.append(path)
      case .refuse(let key, let place, let error): admit(key, .failing(error, at: place))
      case .readLinked(_, let key, let place, let target):
        let error = RelabelError(
          .unsafeInput,
          "the member is a hard link to '\(String(escaping: target))', which has passed in a stream; make the"
            + " archive with tar --hard-dereference, or give it uncompressed"
        )
        admit(key, .failing(error, at: place))
      case .read(let dialect, let key, let place):
        try read(member, dialect, key, place, from: reader)
      }
    } catch {
      fail(error)
    }
    return true
  }

  private func read(
    _ member: ArchiveReader.Member,
    _ dialect: any Dialect,
    _ key: String,
    _ place: Place,
    from reader: ArchiveReader
  ) throws(RelabelError) {
    if let size = member.size, size > Limits.memberBytes {
      let message = "the member declares \(size) bytes; at most \(Limits.memberBytes) are held"
      admit(key, .failing(RelabelError(.unsafeInput, message), at: place))
      return
    }
    let bytes = try reader.contents(of: member, limit: Limits.memberBytes)
    let region = ByteRegion(storage: .memory(bytes), offset: 0, count: bytes.count)
    do throws(RelabelError) {
      let found = try FoundFile(dialect, region, key: key, at: place, options, &spool)
      try found.forEach { key, entry in admit(key, entry) }
    } catch {
      admit(key, .failing(error, at: place))
    }
  }

  /// Gives an image its index and puts it into the queue.
  private func admit(_ key: String, _ found: Entry) {
    let source = Source(
      place: found.place,
      digest: options.stripComponents > 0 ? found.digest : nil
    )
    let earlier = sources.updateValue(source, forKey: ImageKey.Exact(key))
    if let earlier, let digest = earlier.digest, digest == source.digest,
      earlier.place.description(key: key) != found.place.description(key: key)
    {
      copies.append(EqualCopy.words(of: found.place, and: earlier.place, key: key))
      return
    }
    var entry = admission.check(key, found, duplicate: earlier.map { ($0.place, found.place) })
    let line = admission.line(of: key, &entry)
    if let line { isListed[line] = true }
    let index = admission.list == nil ? arrived : Int64(line ?? -1)
    arrived += 1
    queue.append(PendingImage(key: key, imageIndex: index, entry: entry))
  }

  /// Ends the stream with one image that fails.
  private func fail(_ error: RelabelError) {
    reader = nil
    let entry = Entry.failing(error, at: .path(name))
    let index = admission.list == nil ? arrived : -1
    arrived += 1
    queue.append(PendingImage(key: InputPath.key(of: name), imageIndex: index, entry: entry))
  }
}
