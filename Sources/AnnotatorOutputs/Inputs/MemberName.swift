import Relabel

/// What to do with a member of a tar file, by its header.
enum MemberVerdict {
  /// A folder.
  case skip
  /// No input, but not silently left out.
  case ignore(String)
  /// An image that can't be loaded.
  case refuse(key: String, Place, RelabelError)
  case read(any Dialect, key: String, Place)
  /// Another name of a member that came before.
  case readLinked(any Dialect, key: String, Place, target: [UInt8])

  /// - Parameters:
  ///   - member: what the header says.
  ///   - prefix: what stands before the member's name where it is reported: `maps.tar:`.
  ///   - options: what the user said.
  init(_ member: ArchiveReader.Member, prefix: String, _ options: InputOptions) {
    let name = member.plainName
    let exact = String(exactly: name)
    let text = exact ?? String(escaping: name)
    let path = RelativePath(text, stripping: options.stripComponents)
    let place = Place.named(prefix: prefix + path.stripped, extension: path.extension)
    func refused(_ code: RelabelError.Code, _ message: String) -> MemberVerdict {
      .refuse(key: path.key, place, RelabelError(code, message))
    }

    let dots = PathDots(name)
    if name.first == UInt8(ascii: "/") {
      self = refused(.unsafeInput, "the member has an absolute path; it was not read")
    } else if dots.leadUpwards {
      self = refused(.unsafeInput, "the member's path leaves the archive; it was not read")
    } else if member.kind == .directory {
      self = .skip
    } else if member.kind == .link {
      self = refused(
        .unsafeInput,
        "the member is a symbolic link; make the archive of the files themselves (tar --dereference"
          + " --hard-dereference)"
      )
    } else if member.kind == .special {
      self = refused(.unsafeInput, "the member is a device or pipe; only files are read")
    } else if dots.hide {
      self = .ignore(place.description(key: path.key))
    } else if let dialect = options.dialect(of: text) {
      if exact == nil {
        self = refused(.invalidInput, "the member's name is not valid UTF-8; rename it")
      } else if let fault = path.fault {
        self = .refuse(key: path.key, place, fault)
      } else if member.isSparse {
        self = refused(.invalidInput, "the member is sparse; make the archive without --sparse")
      } else if dialect.needsOwnFile {
        self = refused(
          .invalidInput,
          "an \(path.extension) file in a tar file is not read; unpack it first"
        )
      } else if let target = member.hardLink {
        self = .readLinked(dialect, key: path.key, place, target: target)
      } else if member.size == nil {
        self = refused(.invalidInput, "the member's size is not declared")
      } else {
        self = .read(dialect, key: path.key, place)
      }
    } else {
      self = .ignore(place.description(key: path.key))
    }
  }
}

/// What the parts of a path say that begin with a dot.
private struct PathDots {
  /// True when a part is "..".
  private(set) var leadUpwards = false
  /// True when a part begins with a dot.
  private(set) var hide = false

  // Of bytes: most of the time that a listing takes went into the same of a string.
  init(_ path: ArraySlice<UInt8>) {
    let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
    path.withUnsafeBufferPointer { path in
      func ends(_ place: Int) -> Bool { place == path.count || path[place] == slash }
      for place in path.indices
      where path[place] == dot && (place == 0 || path[place - 1] == slash) {
        hide = true
        if !ends(place + 1), path[place + 1] == dot, ends(place + 2) { leadUpwards = true }
      }
    }
  }
}

/// Notices tar files that end too early, which libarchive takes for their end.
struct TarEnd {
  private var expected = 0

  /// Notes a member whose contents start at `position`.
  mutating func note(_ member: ArchiveReader.Member, at position: Int) {
    // A sparse member's size is not what is stored of it.
    let size = member.isSparse ? 0 : member.size ?? 0
    let (padded, overflow) = size.addingReportingOverflow(511)
    let (end, overflow2) = position.addingReportingOverflow(padded & ~511)
    expected = overflow || overflow2 ? Int.max : end
  }

  /// Refuses an archive that ended at `position`: its end mark has to follow the last member.
  func check(_ position: Int) throws(RelabelError) {
    guard position <= expected else { return }
    throw RelabelError(.invalidInput, "the tar file is truncated: it ends without its end mark")
  }
}

extension ArchiveReader.Member {
  /// The name without what says "here".
  var plainName: ArraySlice<UInt8> { Self.plain(name) }

  /// A name without what says "here" in front of it.
  static func plain(_ name: [UInt8]) -> ArraySlice<UInt8> {
    var name = name[...]
    while name.starts(with: "./".utf8) { name = name.dropFirst(2) }
    return name
  }
}
