public import Relabel

/// What the user said about the input.
public struct InputOptions: Sendable {
  /// Classes to keep in each cell; nil keeps what sparse input has and reduces dense input to 5.
  public var topK: Int?
  /// How many classes the annotator scores, when the user said so: by number or by a class list.
  public var numClasses: Int?
  /// What a score is, when the user said so.
  public var scoreKind: ScoreKind?
  /// The lines of an image list, in order: relative paths with their extension.
  public var imageList: [String]?
  /// Folders that are taken off the front of every path below a folder or in an archive, before it becomes a key.
  public var stripComponents: Int = 0
  /// True where the logarithm of the sum of exp(score) over all classes is wanted for each cell of dense maps.
  public var keepsLogNormalizer: Bool = false
  /// True where logits of dense maps are stored less the mean of those that their cell leaves out.
  public var centres: Bool = false
  /// True where the scores of all classes are wanted of every map.
  package var keepsDense: Bool = false
  /// The dialect that the input is read as, by its word (`Dialects.words`, `ViewDialects.words`); nil recognises it.
  public var dialect: String?
  /// What the user says of labels of crops.
  public var views: ViewWords = ViewWords()
  /// The size of the picture of a key, where the user has the pictures.
  package var pictureSize: (@Sendable (String) throws(RelabelError) -> ViewFacts.Size)?
  /// What the axes of arrays are; nil where their shape settles it.
  public var axes: ArrayAxes?
  /// Which arrays of an HDF5 file are read; nil where names or types settle it.
  public var arrays: ChosenArrays?
  /// Who reads HDF5 files of other programs; nil for nobody.
  package var foreign: (any ForeignArrays)?
  /// True where class 0 of the source is the background and all others move down by one.
  public var isBackgroundFirst: Bool = false
  /// Whether classes exclude each other, when the user said so: what labels without scores become.
  public var classesAre: ClassRelation?
  /// The class table, for labels that are ids or names.
  public var classes: ClassTable?
  /// The folder where the contents of `.npz` and HDF5 files may be spooled, in an unlinked temporary file.
  public var spoolDirectory: String

  /// How many classes the source scores, when the user said so.
  var sourceClasses: Int? { numClasses.map { isBackgroundFirst ? $0 + 1 : $0 } }

  /// How many classes of a dense map are kept by default.
  public static let defaultTopK: Int = 5

  /// Makes options; what is nil is left to the input.
  public init(
    topK: Int? = nil,
    numClasses: Int? = nil,
    scoreKind: ScoreKind? = nil,
    imageList: [String]? = nil,
    spoolDirectory: String
  ) {
    self.topK = topK
    self.numClasses = numClasses
    self.scoreKind = scoreKind
    self.imageList = imageList
    self.spoolDirectory = spoolDirectory
  }
}

/// What the input itself settles about the scores.
public struct SourceTraits: Sendable, Hashable {
  /// What a score is, or nil when the input doesn't say.
  public let scoreKind: ScoreKind?
  /// How many classes the annotator scores, or nil when the input doesn't say.
  public let numClasses: Int?
  /// True when every image is a `.pt` file of the ReLabel dialect.
  public let isReLabelDialect: Bool

  /// The dialects that the maps are written in, sorted.
  public let dialects: [String]
  /// True when the score kind is only the convention of the dialect.
  public let isKindConvention: Bool
  /// True when the number of classes is only the convention of the dialect.
  public let areClassesConvention: Bool

  /// What shows that the maps are of their dialects, a line for each way that they are written.
  public internal(set) var evidence: [String] = []
  /// How the grid lies on the picture, or nil when the input doesn't say.
  public internal(set) var orientation: Orientation?
  /// True where the input says that its logits are stored less the mean of those that their cell leaves out.
  package internal(set) var isCentred = false
  /// What is settled for all views; nil where rows are images.
  package var views: ViewTraits?
  /// The optional datasets whose values each image brings, in the order of the layout.
  package var columns: [Layout.Column] = []

  /// What a program says of the maps that it hands over; the columns by their names.
  package init(scoreKind: ScoreKind, numClasses: Int, dialect: String, columns: [String]) {
    self.init(
      scoreKind: scoreKind,
      numClasses: numClasses,
      isReLabelDialect: false,
      dialects: [dialect]
    )
    self.columns = Layout.optional.filter { columns.contains($0.name) }
  }

  /// Makes traits.
  public init(
    scoreKind: ScoreKind?,
    numClasses: Int?,
    isReLabelDialect: Bool,
    dialects: [String] = [],
    isKindConvention: Bool = false,
    areClassesConvention: Bool = false
  ) {
    self.scoreKind = scoreKind
    self.numClasses = numClasses
    self.isReLabelDialect = isReLabelDialect
    self.dialects = dialects
    self.isKindConvention = isKindConvention
    self.areClassesConvention = areClassesConvention
  }
}

/// The largest sizes that are read.
enum Limits {
  /// Entries of one map: a chunk of 16 MiB holds whole images of 2-byte class ids.
  static let entries: Int = 1 << 23
  /// Bytes of one member that has to be held in memory.
  static let memberBytes: Int = 256 << 20
  /// Bytes of one dense map.
  static let denseBytes: Int = 1 << 30
  /// Bytes of a pickle or of an array header: neither is ever near it.
  static let headerBytes: Int = 1 << 20

  /// Why a grid with these sizes is not read, or nil when it is.
  static func fault(height: Int, width: Int) -> String? {
    let side = Layout.maximumGridSide
    guard height < 1 || width < 1 || height > side || width > side else { return nil }
    return "the grid is \(height)×\(width); each side has to be 1 to \(side)"
  }

  /// Why a map of this shape is not read, or nil when it is.
  static func fault(height: Int, width: Int, topK: Int) -> String? {
    if let fault = fault(height: height, width: width) { return fault }
    if topK < 1 || topK > Layout.maximumTopK {
      return "k is \(topK); it has to be 1 to \(Layout.maximumTopK)"
    }
    // Two factors of at most 4,096 and one of at most 65,535 can't overflow.
    if height * width * topK > entries {
      return
        "a map of \(height)×\(width) cells with k = \(topK) is larger than an HDF5 chunk allows"
    }
    return nil
  }
}

/// A product that is nil when it overflows or a factor is negative.
func checkedProduct(_ factors: Int...) -> Int? {
  checkedProduct(of: factors)
}

/// A product that is nil when it overflows or a factor is negative.
func checkedProduct(of factors: [Int]) -> Int? {
  var product = 1
  for factor in factors {
    let (value, overflow) = product.multipliedReportingOverflow(by: factor)
    if overflow || factor < 0 { return nil }
    product = value
  }
  return product
}
