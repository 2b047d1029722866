import AnnotatorOutputs
public import Relabel

/// Options of the packer: what to pack, how, and where to write it.
public struct PackOptions: Sendable {
  /// Folders, tars or files of annotator outputs; `-` is standard input.
  public var inputs: [String]
  /// The folder that the dataset will be in.
  public var output: String
  /// The part of the shards' file names before the number.
  public var name: String = ShardFileName.defaultBase
  /// Classes to keep in a cell; nil keeps what sparse input has and 5 of dense input.
  public var topK: Int?
  /// Classes of the annotator; nil where the source settles it.
  public var numClasses: Int?
  /// Whether classes exclude each other.
  public var classesAre: ClassRelation {
    get { givenClassesAre ?? .exclusive }
    set { givenClassesAre = newValue }
  }
  /// What the user said of it; nil for nothing, which is enough where every class has a score.
  public var givenClassesAre: ClassRelation?
  /// What a score is; nil where the source settles it.
  public var scoreKind: ScoreKind?
  /// How scores are stored; nil is `fixed16`, or what loses nothing of views.
  public var encoding: ScoreEncoding.Name?
  /// The largest error of a stored score; nil takes the preset's.
  public var maximumError: Double?
  /// What is used where nothing else is said.
  public let preset: Preset
  /// The order of a cell's entries.
  public var cellOrder: CellOrder
  /// The order of rows; nil shuffles what is listed and keeps the order of what arrives.
  public var rowOrder: RowOrder?
  /// How the grid lies on the picture; nil is `unknown` for `.pt` input, else `yx`.
  public var orientation: Orientation?
  /// Images in one chunk; unless set, what the preset has for the compression.
  public var imagesPerChunk: Int {
    get { givenImagesPerChunk ?? preset.imagesPerChunk(compression) }
    set { givenImagesPerChunk = newValue }
  }
  private(set) var givenImagesPerChunk: Int?
  /// Images in one shard; unless set, 16,384, and of views as many as take about 256 MB.
  public var imagesPerShard: Int {
    get { givenImagesPerShard ?? Self.usualImagesPerShard }
    set { givenImagesPerShard = newValue }
  }
  private(set) var givenImagesPerShard: Int?
  /// Images in one shard where nothing else is said.
  static let usualImagesPerShard = 16_384
  /// Bytes for a key; nil takes those of the longest, or 256 where keys arrive one by one.
  public var keyBytes: Int?
  /// Go on with the shards that an earlier run has finished of a stream of records.
  public var resumes: Bool = false
  /// How chunks are compressed.
  public var compression: Compression
  /// The class table.
  public var classes: ClassTable?
  /// The annotator document.
  public var annotator: JSON?
  /// The lines of the image listing.
  public var imageList: [String]?
  /// Where the classes of the source come from; nil takes an image's folder where that is a class.
  public var labels: LabelSource?
  /// What people marked to be left out, by key; nil keeps all images.
  public var exclusions: ReviewMarks?
  /// Folders of the pictures whose size and digest are stored; empty for none.
  public var pictures: [String] = []
  /// The part of its picture that each map covers; nil if all maps cover the same part.
  public var mapExtents: ExtentTable?
  /// Store the logarithm of the sum of exp(logit) over all classes, which only dense input tells.
  public var logNormalizer: Bool = false
  /// Store dense logits less the mean of those that their cell leaves out, which then lie about 0.
  public var centres: Bool = false
  /// How maps are kept as factors; nil keeps the best classes of each cell.
  public var factors: FactorSettings?
  /// Say in the summary what factors would lose of dense logits beside what the best classes lose; costs a fifth of a second.
  public var weighsFactors: Bool = false
  /// The dialect that the inputs are read as; nil recognises it.
  public var dialect: String?
  /// What the axes of arrays are, in words; nil where their shape settles it.
  public var axes: String?
  /// Which arrays of an HDF5 file are read, `ROLE=PATH` each; empty where names or types settle it.
  public var arrays: [String] = []
  /// The program to start as a helper process, which begins with `HelperEntry.runIfAsked`; nil refuses what this
  /// process must not read itself, HDF5 files of other programs.
  public var helper: String?
  /// Leave class 0 of the source out, the background; all others move down by one.
  public var isBackgroundFirst: Bool = false
  /// Folders that are taken off the front of paths below an input, before they become keys.
  public var stripComponents: Int = 0
  /// What no file says of labels of crops.
  public var views: ViewWords = ViewWords()
  /// Threads; nothing but time depends on it.
  public var jobs: Int = 1
  /// Leave bad input out by name instead of failing.
  public var skipsBadInput: Bool = false
  /// Replace an existing dataset.
  public var overwrites: Bool = false

  /// Makes options with a preset's defaults for everything else.
  public init(inputs: [String] = [], output: String, preset: Preset = .default) {
    self.inputs = inputs
    self.output = output
    self.preset = preset
    cellOrder = preset.cellOrder
    compression = preset.compression
  }

  /// Refuses values that no run can use.
  ///
  /// - Throws: `.usage` naming the option.
  func validate() throws(RelabelError) {
    func require(_ condition: Bool, _ message: String) throws(RelabelError) {
      if !condition { throw RelabelError(.usage, message) }
    }
    let fault = DatasetIndex.fault(ofName: name)
    try require(fault == nil, "--name can't be '\(name)': \(fault ?? "")")
    try require(topK.map { $0 >= 1 } ?? true, "--top-k must be at least 1")
    try require(
      numClasses.map { (1...Int(UInt32.max)).contains($0) } ?? true,
      "--num-classes must be between 1 and \(UInt32.max)"
    )
    try require(imagesPerChunk >= 1, "--images-per-chunk must be at least 1")
    try require(imagesPerShard >= 1, "--images-per-shard must be at least 1")
    try require(
      keyBytes.map { (1...ImageKey.maximumBytes).contains($0) } ?? true,
      "--key-bytes must be between 1 and \(ImageKey.maximumBytes)"
    )
    try require(!(resumes && overwrites), "--resume keeps shards, --overwrite removes them")
    try require(stripComponents >= 0, "--strip-components must be at least 0")
    try require(jobs >= 1, "--jobs must be at least 1")
  }
}

extension PackOptions {
  /// Refuses to go on with images that come only once where some were left out that nobody remembers.
  ///
  /// - Throws: `.usage`.
  func checkResuming() throws(RelabelError) {
    guard resumes, skipsBadInput, imageList == nil else { return }
    throw RelabelError(
      .usage,
      "--resume needs --images where --on-bad-input is skip: only a list of the images tells what the earlier run left"
        + " out"
    )
  }

  /// Refuses to go on with images that come only once where those that were excluded don't come again.
  ///
  /// - Throws: `.usage`.
  func checkExcludingAgain() throws(RelabelError) {
    guard exclusions != nil else { return }
    throw RelabelError(
      .usage,
      "--resume does not see again what the earlier run excluded: resume without --exclude, and give it to 'relabel"
        + " recover' afterwards"
    )
  }

  /// What the index says of an image that people excluded; nil for one that stays.
  func exclusion(_ image: PendingImage) -> DatasetIndex.LeftOut? {
    guard let reason = exclusions?.reason(image.key) else { return nil }
    let index = image.imageIndex < 0 ? nil : image.imageIndex
    return DatasetIndex.LeftOut(key: image.key, imageIndex: index, reason: reason)
  }

  /// What of the options is about the input.
  ///
  /// - Parameter spool: the folder for temporary files.
  /// - Returns: the options of the input.
  /// - Throws: `.usage` for axes or arrays that are not understood.
  func inputOptions(spool: String) throws(RelabelError) -> InputOptions {
    var input = InputOptions(
      // Factors keep all classes; of the best ones only the first is looked at.
      topK: factors == nil ? topK : 1,
      numClasses: numClasses ?? classes?.entries.count,
      scoreKind: scoreKind,
      imageList: imageList,
      spoolDirectory: spool
    )
    input.stripComponents = stripComponents
    input.keepsLogNormalizer = logNormalizer
    input.centres = centres
    input.keepsDense = factors != nil
    input.dialect = dialect
    input.views = views
    input.pictureSize = try PictureSides(pictures)?.size
    if let axes { input.axes = try ArrayAxes(axes) }
    if !arrays.isEmpty { input.arrays = try ChosenArrays(arrays) }
    input.foreign = helper.map(HelperArrays.init)
    input.isBackgroundFirst = isBackgroundFirst
    input.classesAre = givenClassesAre
    input.classes = classes
    return input
  }
}
