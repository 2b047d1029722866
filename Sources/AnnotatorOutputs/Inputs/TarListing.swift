import Relabel

/// Lists an uncompressed tar file; its members are read later, in any order.
enum TarListing {
  /// Adds the maps of the tar file, whose descriptor stays open with them.
  ///
  /// When the file is damaged, what came before stays and one image fails for the rest.
  static func gather(
    _ file: OpenFile,
    _ name: String,
    into gathering: inout Gathering
  ) throws(RelabelError) {
    gathering.inputBytes += Int64(file.size)
    do throws(RelabelError) {
      try list(file, name, into: &gathering)
    } catch {
      if error.code == .usage || error.code == .io || error.code == .internalFault { throw error }
      try gathering.addFailure(error, key: InputPath.key(of: name), at: .path(name))
    }
  }

  private static func list(
    _ file: OpenFile,
    _ name: String,
    into gathering: inout Gathering
  ) throws(RelabelError) {
    let reader = try ArchiveReader(tar: file.descriptor)
    var end = TarEnd()
    let prefix = name + ":"
    while let member = try reader.next() {
      let position = reader.position
      end.note(member, at: position)
      switch MemberVerdict(member, prefix: prefix) {
      case .skip: break
      case .ignore(let path): gathering.ignored.append(path)
      case .refuse(let key, let place, let error):
        try gathering.addFailure(error, key: key, at: place)
      case .read(let dialect, let key, let place):
        let size = member.size ?? 0
        guard size >= 0, size <= file.size - position else {
          throw RelabelError(
            .invalidInput,
            "the tar file is truncated: it ends within '\(place.description(key: key))'"
          )
        }
        let region = ByteRegion(storage: .open(file), offset: position, count: size)
        try gathering.add(dialect, region, key: key, at: place)
      }
    }
    try end.check(reader.position)
  }
}
