public import ArgumentParser
internal import RelabelPacking
internal import Relabel

/// `relabel-pack`: raw annotator outputs to verified shards.
public struct PackCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "pack",
    abstract: "Pack raw annotator outputs into a verified dataset of HDF5 shards.",
    discussion: """
      Reads ReLabel .pt files, dense .npy and .npz arrays, from folders, tars or a pipe, and \
      streams of records (spec/stream.md). Writes \
      NAME-00000.h5 and so on, and index.json last: a folder without it is incomplete. The same \
      command run again completes what a killed run left.

      \(packingExitCodes)
      """,
    version: RelabelCommand.versionText
  )

  @Argument(help: "Folders, tars or files of annotator outputs; - is standard input.")
  var inputs: [String]

  @Option(name: [.short, .long], help: "The folder for the dataset.", completion: .directory)
  var output: String

  @Option(help: "What shard files are called before their number.")
  var name: String = "labels"

  @Option(help: "Classes to keep in a cell. (default: those of sparse input, 5 of dense input)")
  var topK: Int?

  @Option(help: "Classes of the annotator, where the input does not tell.")
  var numClasses: Int?

  @Option(help: "What the scores are, where the input does not tell.")
  var scoreKind: ScoreKind?

  @Option(help: "How scores are stored.")
  var scoreEncoding: ScoreEncoding.Name = .fixed16

  @Option(
    help: """
      What the options below are unless given: default, or small: 29 % smaller, targets still within \
      0.003, slower to pack and to read at random.
      """
  )
  var preset: Preset = .default

  @Option(help: "The largest error a stored score may have. (default: by preset and score kind)")
  var maxError: Double?

  @Option(help: "The order of the entries in a cell. (default: by preset, score or class)")
  var cellOrder: CellOrder?

  @Option(help: "The order of rows: shuffled[:SEED] or source. (default: shuffled:0)")
  var rowOrder: RowOrder?

  @Option(help: "How the grid lies on the picture. (default: unknown for .pt, else yx)")
  var orientation: Orientation?

  @Option(help: "Images in one chunk. (default: by preset, 4 or 16; 1 with --compression none)")
  var imagesPerChunk: Int?

  @Option(help: "Images in one shard.")
  var imagesPerShard: Int = 16_384

  @Option(help: "deflate[:[IDS,]LEVEL] or none. (default: by preset, deflate:4,5 or deflate:12)")
  var compression: Compression?

  @Option(help: "Class list, a line ID<TAB>NAME for each class.", completion: .file())
  var classes: String?

  @Option(help: "Annotator document.", completion: .file(extensions: ["json"]))
  var annotator: String?

  @Option(help: "Image listing, one relative path a line: the order of image_index.")
  var images: String?

  @Option(
    help: ArgumentHelp(
      "Where the class that the source gives to each image comes from: FILE, from-folders or none.",
      discussion: """
        FILE has a line PATH<TAB>CLASS for each image, the class by id or number; from-folders takes the \
        name of an image's folder as the id of its class. The labels are stored, and compared with the \
        maps. (default: from-folders where the class list has the folders, else none)
        """,
      valueName: "source"
    ),
    completion: .file()
  )
  var labels: String?

  @Option(
    help: "A folder of the pictures, by key: their sizes and digests are stored; repeatable.",
    completion: .directory
  )
  var pictures: [String] = []

  @Option(
    help: """
      A table key,top,left,height,width: the part of its picture that each map covers, in fractions, or in pixels with \
      image_height and image_width. Stored as map_extent.
      """,
    completion: .file(extensions: ["csv"])
  )
  var mapExtents: String?

  @Flag(
    help: """
      Store the logarithm of the sum of exp(logit) over all classes for each cell, of dense logits: exact \
      probabilities survive the cut to k. Four bytes a cell before compression.
      """
  )
  var logNormalizer = false

  @Option(
    help: """
      Take this many folders off the front of every path below an input folder or in a tar, so that keys are the \
      pictures' paths.
      """
  )
  var stripComponents: Int = 0

  @OptionGroup var threads: JobsOption

  @Option(help: "What to do with broken or unsafe input: fail or skip.")
  var onBadInput: BadInputPolicy = .fail

  @Option(
    help: "Bytes for a key. (default: those of the longest; 256 where images arrive one by one)"
  )
  var keyBytes: Int?

  @Flag(
    help:
      "Keep the full shards that an earlier run has made of a stream of records, and go on behind them."
  )
  var resume = false

  @Flag(help: "Replace an existing dataset.")
  var overwrite = false

  @Option(help: "How to print the summary, or the error: text or json.")
  var format: OutputFormat = .text

  enum BadInputPolicy: String, ExpressibleByArgument, CaseIterable {
    case fail, skip
  }

  /// Makes the command.
  public init() {}

  /// Packs and prints the summary.
  public func run() throws {
    // Or libarchive looks at /etc/localtime for every member of every .pt file: a tenth of the time.
    Environment.setDefault("TZ", "UTC0")
    let meter = ProgressMeter("images")
    let summary: PackSummary
    do {
      summary = try Packer(packOptions()) { meter.show($0.images, of: $0.total) }.run()
      meter.finish()
    } catch {
      meter.finish()
      // A summary's reader learns from the same place why there is none.
      if format == .json { try Output.document(error.document.pretty()) }
      throw Exit.failing(error)
    }
    switch format {
    case .text: try Output.lines(summary.lines(output: output, elapsed: meter.elapsed))
    case .json: try Output.document(summary.json().pretty())
    }
    if !summary.index.leftOut.isEmpty { throw ExitCode(3) }
  }

  private func packOptions() throws(RelabelError) -> PackOptions {
    var options = PackOptions(inputs: inputs, output: output, preset: preset)
    options.name = name
    options.topK = topK
    options.numClasses = numClasses
    options.scoreKind = scoreKind
    options.encoding = scoreEncoding
    options.maximumError = maxError
    if let cellOrder { options.cellOrder = cellOrder }
    options.rowOrder = rowOrder
    options.orientation = orientation
    if let imagesPerChunk { options.imagesPerChunk = imagesPerChunk }
    options.imagesPerShard = imagesPerShard
    if let compression { options.compression = compression }
    options.keyBytes = keyBytes
    options.resumes = resume
    options.stripComponents = stripComponents
    options.jobs = threads.jobs
    options.skipsBadInput = onBadInput == .skip
    options.overwrites = overwrite
    if let classes {
      options.classes = try ClassTable(parsing: TextFile.read(classes), file: classes)
    }
    if let images { options.imageList = try TextFile.lines(images) }
    options.pictures = pictures
    options.logNormalizer = logNormalizer
    if let mapExtents {
      options.mapExtents = ExtentTable(file: mapExtents, bytes: try TextFile.bytes(mapExtents))
    }
    switch labels {
    case nil: break
    case "none": options.labels = LabelSource.none
    case "from-folders": options.labels = .folders
    case let file?: options.labels = .list(file: file, lines: try TextFile.lines(file))
    }
    if let annotator {
      let text = try TextFile.read(annotator)
      do throws(RelabelError) {
        let document = try JSON(parsing: Array(text.utf8))
        guard case .object = document else {
          throw RelabelError(.usage, "the annotator document is not a JSON object")
        }
        _ = try MetadataDocument(annotator: document, classes: nil)
        options.annotator = document
      } catch {
        throw RelabelError(.usage, error.message, at: Location(file: annotator))
      }
    }
    return options
  }
}
