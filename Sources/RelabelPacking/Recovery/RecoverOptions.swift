public import Relabel
public import RelabelVerification

/// Options of a recovery: what to recover, and where to write it.
public struct RecoverOptions: Sendable {
  /// A shard, the folder of a dataset or its `index.json`.
  public var source: String
  /// The folder for the new dataset.
  public var output: String
  /// Optional datasets to leave out: an image whose value of one is lost can then be saved.
  public var without: Set<String> = []
  /// What people marked to be left out, by key; nil keeps all images.
  public var exclusions: ReviewMarks?
  /// The lines of the image listing that the dataset was packed from, to restore keys by image index
  /// and the reverse.
  public var imageList: [String]?
  /// Threads; nothing but time depends on it.
  public var jobs: Int = 1
  /// Replace an existing dataset in `output`.
  public var overwrites: Bool = false
  /// Where the HDF5 library works on what may be broken.
  public var isolation: Isolation = .none

  /// Makes options with defaults for everything else.
  public init(source: String, output: String) {
    self.source = source
    self.output = output
  }

  /// Refuses values that no run can use.
  ///
  /// - Throws: `.usage` naming the option.
  func validate() throws(RelabelError) {
    guard jobs >= 1 else { throw RelabelError(.usage, "--jobs must be at least 1") }
    let names = Layout.optional.map(\.name)
    if let unknown = without.sorted().first(where: { !names.contains($0) }) {
      throw RelabelError(
        .usage,
        "there is no optional dataset '\(unknown)'; there are \(names.joined(separator: ", "))"
      )
    }
    // Boxes of crops would then point to wrong cells (spec, section 8.5).
    guard !without.contains(Layout.mapExtent) else {
      throw RelabelError(
        .usage,
        "map_extent can't be left out: without it, maps would mean something else"
      )
    }
    if Folder.areOne(output, source) || Folder.areOne(output, Folder.parent(of: source)) {
      throw RelabelError(
        .usage,
        "the damaged dataset is in this folder; choose another folder for the new dataset",
        at: Location(file: output)
      )
    }
  }
}
