/// The `index.json` of a dataset of shards: written last, so its presence says "complete"
/// (spec, "Dataset of shards").
public struct DatasetIndex: Hashable, Sendable {
  /// The file's name in the dataset's folder.
  public static let fileName: String = "index.json"

  /// The most bytes of `index.json` that are read.
  package static let maximumBytes: Int = 64 << 20

  /// One shard.
  public struct Shard: Hashable, Sendable {
    /// Path below the dataset's folder.
    public let path: String
    /// Size of the file.
    public let bytes: Int64
    /// SHA-256 of the file, hexadecimal.
    public let sha256: String
    /// SHA-256 of the metadata document.
    public let metadataSHA256: String
    /// Rows, at least one.
    public let rows: Int
    /// Lowest and highest decoded score; nil without rows.
    public let scoreRange: ClosedRange<Float>?
    /// The largest |decoded − given| score the writer made; nil when the shard does not say.
    public let largestError: Double?

    /// Makes an entry.
    public init(
      path: String,
      bytes: Int64,
      sha256: String,
      metadataSHA256: String,
      rows: Int,
      scoreRange: ClosedRange<Float>?,
      largestError: Double?
    ) {
      self.path = path
      self.bytes = bytes
      self.sha256 = sha256
      self.metadataSHA256 = metadataSHA256
      self.rows = rows
      self.scoreRange = scoreRange
      self.largestError = largestError
    }
  }

  /// An input that is not in the dataset, and why.
  public struct LeftOut: Hashable, Sendable {
    /// The key of the image, or the path of an input that gave no key.
    public let key: String
    /// Its place in the source listing; nil when the listing does not name it.
    public let imageIndex: Int64?
    /// What was wrong with the input.
    public let reason: String

    /// Makes an entry.
    public init(key: String, imageIndex: Int64?, reason: String) {
      self.key = key
      self.imageIndex = imageIndex
      self.reason = reason
    }
  }

  /// The name that shard files begin with.
  public var name: String
  /// Images of the source listing, left-out ones included.
  public var sources: Int
  /// The digest of options and listing.
  public var buildID: String
  /// Classes of the annotator.
  public var numClasses: Int
  /// What a score is.
  public var scoreKind: ScoreKind
  /// The options of the build, as on the command line.
  public var options: [String: JSON]
  /// The annotator's name, if known.
  public var annotator: String?
  /// The digest of the class table, if there is one.
  public var classesSHA256: String?
  /// The shards, in row order.
  public var shards: [Shard]
  /// What is missing.
  public var leftOut: [LeftOut]
  /// The software that wrote the index.
  public var writer: String

  /// Makes an index.
  public init(
    name: String,
    sources: Int,
    buildID: String,
    numClasses: Int,
    scoreKind: ScoreKind,
    options: [String: JSON],
    annotator: String?,
    classesSHA256: String?,
    shards: [Shard],
    leftOut: [LeftOut],
    writer: String
  ) {
    self.name = name
    self.sources = sources
    self.buildID = buildID
    self.numClasses = numClasses
    self.scoreKind = scoreKind
    self.options = options
    self.annotator = annotator
    self.classesSHA256 = classesSHA256
    self.shards = shards
    self.leftOut = leftOut
    self.writer = writer
  }

  /// Why a shard's path may not be followed, or nil (spec, section 11.2).
  package static func fault(ofPath path: String) -> String? {
    if path.contains("\\") { return "the path holds a backslash" }
    return ImageKey.fault(path)
  }

  /// Why shard files may not be called by a name, or nil: it is one part of a path (spec, section 11.1).
  package static func fault(ofName name: String) -> String? {
    if name.utf8.contains(UInt8(ascii: "/")) { return "it holds a slash" }
    // So begin the names of files that are not finished.
    if name.utf8.first == UInt8(ascii: ".") { return "it begins with a dot" }
    return fault(ofPath: name)
  }

  /// Why a path may not stand in this index, or nil: a shard is a file NAME-00000.h5 beside it (spec,
  /// section 11.1).
  package func fault(ofListed path: String) -> String? {
    if let fault = Self.fault(ofPath: path) { return fault }
    if path.utf8.contains(UInt8(ascii: "/")) {
      return "it leads into another folder; shards lie beside index.json"
    }
    // By bytes: composed and decomposed accents are two names.
    let start = "\(name)-".utf8
    let number = path.utf8.dropFirst(start.count).dropLast(".h5".utf8.count)
    guard path.utf8.starts(with: start), path.hasSuffix(".h5"), number.count >= 5,
      number.count == 5 || number.first != UInt8(ascii: "0"),
      number.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return "it is not '\(name)-00000.h5' with a number of its own" }
    return nil
  }

  /// Rows of all shards.
  public var count: Int { shards.reduce(0) { $0 + $1.rows } }
}
