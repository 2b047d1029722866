import Relabel

/// Lists an uncompressed tar file; its members are read later, in any order.
struct TarListing {
  /// A member that is another name of one before it.
  private struct LinkedMember {
    let dialect: any Dialect
    let key: String
    let place: Place
    let target: ArraySlice<UInt8>
    /// How many members come before.
    let number: Int
  }

  private let file: OpenFile
  /// What stands before names of members where they are reported.
  private let prefix: String
  private var linked: [LinkedMember] = []
  /// Members so far.
  private var members = 0

  /// Adds the maps of the tar file, whose descriptor stays open with them.
  ///
  /// When the file is damaged, what came before stays and one image fails for the rest.
  static func gather(
    _ file: OpenFile,
    _ name: String,
    into gathering: inout Gathering
  ) throws(RelabelError) {
    gathering.inputBytes += Int64(file.size)
    var listing = TarListing(file: file, name: name)
    do throws(RelabelError) {
      try listing.list(into: &gathering)
    } catch {
      if error.code == .usage || error.code == .io || error.code == .internalFault { throw error }
      try gathering.addFailure(error, key: InputPath.key(of: name), at: .path(name))
    }
    try listing.addLinked(into: &gathering)
  }

  private init(file: OpenFile, name: String) { (self.file, prefix) = (file, name + ":") }

  private mutating func list(into gathering: inout Gathering) throws(RelabelError) {
    var plain = PlainTarMembers(file)
    while let (member, contents) = plain.next() {
      try add(member, at: contents, to: &gathering)
    }
    let start = plain.position
    try file.rewind(to: start)
    let reader = try ArchiveReader(tar: file.descriptor)
    var end = TarEnd()
    while let member = try reader.next() {
      let position = start + reader.position
      end.note(member, at: position)
      try add(member, at: position, to: &gathering)
    }
    try end.check(start + reader.position)
  }

  private mutating func add(
    _ member: ArchiveReader.Member,
    at position: Int,
    to gathering: inout Gathering
  ) throws(RelabelError) {
    switch MemberVerdict(member, prefix: prefix, gathering.options) {
    case .skip: break
    case .ignore(let path): gathering.ignored.append(path)
    case .refuse(let key, let place, let error):
      try gathering.addFailure(error, key: key, at: place)
    case .read(let dialect, let key, let place):
      let region = try region(member, at: position) { place.description(key: key) }
      try gathering.add(dialect, region, key: key, at: place)
    case .readLinked(let dialect, let key, let place, let target):
      let target = ArchiveReader.Member.plain(target)
      linked.append(
        LinkedMember(dialect: dialect, key: key, place: place, target: target, number: members)
      )
    }
    members += 1
  }

  private func region(
    _ member: ArchiveReader.Member,
    at position: Int,
    _ path: () -> String
  ) throws(RelabelError) -> ByteRegion {
    let size = member.size ?? 0
    guard size >= 0, size <= file.size - position else {
      throw RelabelError(
        .invalidInput,
        "the tar file is truncated: it ends within '\(path())'"
      )
    }
    return ByteRegion(storage: .open(file), offset: position, count: size)
  }

  /// Adds the members that are other names of members before them: their contents lie there.
  ///
  /// Nothing is kept of tar files without any; those with some are read through once more.
  private func addLinked(into gathering: inout Gathering) throws(RelabelError) {
    if linked.isEmpty { return }
    let regions = try targets()
    for member in linked {
      // As tar unpacks it: the last member of that name before it.
      guard let region = regions[member.target]?.last(where: { $0.number < member.number })?.region
      else {
        let error = RelabelError(
          .unsafeInput,
          "the member is a hard link to '\(String(escaping: member.target))', which does not come before it as a"
            + " file; make the archive with tar --hard-dereference"
        )
        try gathering.addFailure(error, key: member.key, at: member.place)
        continue
      }
      try gathering.add(member.dialect, region, key: member.key, at: member.place)
    }
  }

  /// Where the members lie that others are names of, in the order of the file.
  private func targets() throws(RelabelError) -> [ArraySlice<UInt8>: [(
    number: Int, region: ByteRegion
  )]] {
    let wanted = Set(linked.map(\.target))
    var regions: [ArraySlice<UInt8>: [(number: Int, region: ByteRegion)]] = [:]
    try file.rewind()
    do throws(RelabelError) {
      let reader = try ArchiveReader(tar: file.descriptor)
      var number = 0
      while let member = try reader.next() {
        let position = reader.position
        defer { number += 1 }
        guard wanted.contains(member.plainName), member.kind == .regular, member.hardLink == nil,
          !member.isSparse, member.size != nil
        else { continue }
        let region = try region(member, at: position) { String(escaping: member.name) }
        regions[member.plainName, default: []].append((number, region))
      }
    } catch {
      // What is damaged was told by the first reading; what lies before is there.
      if error.code != .invalidInput { throw error }
    }
    return regions
  }
}
