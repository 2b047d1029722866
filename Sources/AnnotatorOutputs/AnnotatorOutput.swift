public import Relabel

/// What an annotator wrote: files of any dialect (`Dialects`), in folders or tar archives.
public struct AnnotatorOutput: Sendable {
  /// The images, all known or known only as they come.
  public enum Images: Sendable {
    /// All images, sorted by `imageIndex`; those that the image list doesn't name come last.
    case listed(PendingImages)
    /// The images of a pipe or compressed archive, in the order of arrival.
    case arriving(ArrivalStream)
  }

  /// The images.
  public let images: Images
  /// What the input settles about the scores.
  public let traits: SourceTraits
  /// Files that the packer does not read, for the user to see; of a stream, those found while it was opened.
  public let ignored: [String]
  /// Lines of the image list that no map was found for; empty for a stream.
  public let unmatchedListLines: [String]
  /// Images that are there more than once as equal copies, of which one is kept; empty for a stream.
  public let copies: [String]
  /// Bytes of the input files; 0 for a stream.
  public let inputBytes: Int64

  /// Finds the images of the inputs without loading them.
  ///
  /// Something broken inside the input becomes one image whose `load()` throws.
  ///
  /// - Parameters:
  ///   - paths: folders, `.pt`, `.npy`, `.npz` and tar files, or `-` for standard input; a pipe or
  ///     compressed archive has to be the only one.
  ///   - options: what the user said.
  /// - Returns: the images and what is known about them.
  /// - Throws: `.usage` for options that contradict each other or the input, a path that isn't
  ///   there and input without images; `.io` when something can't be read at all.
  public static func open(
    _ paths: [String],
    options: InputOptions
  ) throws(RelabelError) -> AnnotatorOutput {
    if let topK = options.topK, topK < 1 || topK > Layout.maximumTopK {
      throw RelabelError(.usage, "the top-k is \(topK); it has to be 1 to \(Layout.maximumTopK)")
    }
    if let views = try ViewArrivals.find(in: paths, options) {
      if options.arrays != nil { throw HDF5Arrays.notOne.located(Location(file: paths[0])) }
      return try arriving(try ArrivalStream(views, paths[0], options))
    }
    if let word = options.dialect { _ = try Dialects.named(word) }
    if let parts = try ArchiveParts.files(paths) {
      return try arriving(
        ArrivalStream(parts[0], then: Array(parts.dropFirst()), paths[0], options)
      )
    }
    var gathering = Gathering(options)
    for path in paths {
      let input = try InputPath(path, options)
      if case .stream(let file, let name) = input {
        guard paths.count == 1 else {
          throw RelabelError(
            .usage,
            "a pipe, stream of records or compressed archive has to be the only input, but for the parts that an"
              + " archive was cut into, in their order; 'cat PART* | relabel-pack -' joins them, too",
            at: Location(file: name)
          )
        }
        if options.arrays != nil { throw HDF5Arrays.notOne.located(Location(file: name)) }
        return try arriving(ArrivalStream(file, name, options))
      }
      try gather(input, into: &gathering)
    }
    guard !gathering.isEmpty else {
      let ignored = gathering.ignored
      let what =
        ignored.first.map {
          "; \(ignored.count) files have another ending, such as '\(Folder.name(of: $0))': \(Dialects.endings) and tar"
            + " files are read; if torch.save wrote them, rename them to .pt"
        } ?? ""
      throw RelabelError(
        .usage,
        "nothing to read was found in \(paths.joined(separator: ", "))\(what)"
      )
    }
    let listing = try Listing(gathering)
    return AnnotatorOutput(
      images: .listed(listing.images),
      traits: listing.traits,
      ignored: gathering.ignored,
      unmatchedListLines: listing.unmatched,
      copies: listing.copies,
      inputBytes: gathering.inputBytes
    )
  }

  private static func gather(
    _ input: InputPath,
    into gathering: inout Gathering
  ) throws(RelabelError) {
    switch input {
    case .folder(let path):
      try FolderTree.gather(path, into: &gathering)
    case .file(let dialect, let path, let size):
      guard gathering.options.stripComponents == 0 else {
        throw RelabelError(
          .usage,
          "--strip-components takes folders off paths below a folder or in a tar file; this file has none",
          at: Location(file: path)
        )
      }
      gathering.inputBytes += Int64(size)
      let region = ByteRegion(storage: .closed(path: path), offset: 0, count: size)
      try gathering.add(dialect, region, key: InputPath.key(of: path), at: .path(path))
    case .tar(let file, let name):
      try TarListing.gather(file, name, into: &gathering)
    case .broken(let path, let error):
      try gathering.addFailure(error, key: InputPath.key(of: path), at: .path(path))
    case .stream:
      break
    }
  }

  private static func arriving(
    _ stream: ArrivalStream
  ) throws(RelabelError) -> AnnotatorOutput {
    let traits = try stream.peek()
    return AnnotatorOutput(
      images: .arriving(stream),
      traits: traits,
      ignored: stream.ignored,
      unmatchedListLines: [],
      copies: [],
      inputBytes: 0
    )
  }
}
