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
      The input may be ReLabel's .pt files, .npy, .npz, .safetensors or HDF5 arrays, a stream of records (spec/stream.md), or \
      a folder with labels of crops as FKD, TinyViT, ml-dr, SRe2L and its followers write them. It may lie in folders or tars, or come through a pipe. The output is a folder \
      with NAME-00000.h5 and so on. The packer writes index.json last, so a folder without it is \
      incomplete. If a run was killed, run the same command again to complete the dataset.

      \(packingExitCodes)
      """,
    version: RelabelCommand.versionText
  )

  @Argument(help: "Folders, tars or files with annotator outputs. A - stands for standard input.")
  var inputs: [String]

  @Option(
    name: [.short, .long],
    help: "The folder to write the dataset to.",
    completion: .directory
  )
  var output: String

  @Option(help: "The part of the shards' file names before the number.")
  var name: String = "labels"

  @Option(
    help: "How many classes to keep in a cell. (default: all of sparse input, 5 of dense input)"
  )
  var topK: Int?

  @OptionGroup var form: FactorOptions

  @Option(help: "How many classes the annotator scores, if the input does not say it.")
  var numClasses: Int?

  @Option(
    help: ArgumentHelp(
      "The dialect that the inputs are in, if the packer recognises it wrongly.",
      discussion: InputWords.dialects.map { "\($0.word): \($0.name)" }.joined(separator: ", ")
        + "; of labels of crops: \(InputWords.viewDialects).",
      valueName: "name"
    )
  )
  var dialect: String?

  @Option(
    help: ArgumentHelp(
      "What the axes of arrays are, if their shape does not settle it, such as 'n h w c'.",
      discussion: "The words are \(InputWords.axes).",
      valueName: "words"
    )
  )
  var axes: String?

  @Option(
    name: .customLong("array"),
    help: ArgumentHelp(
      "Which arrays of an HDF5 file are read, if their names and types do not settle it. Repeatable.",
      discussion:
        "Give \(InputWords.arrays). The path of a group means that each array below it is of one image, whose key is its name.",
      valueName: "role=path"
    )
  )
  var arrays: [String] = []

  @Flag(
    help:
      "Class 0 of the input is the background: leave it out, and count the other classes from 0."
  )
  var backgroundFirst = false

  @Option(help: "What a score is, if the input does not say it.")
  var scoreKind: ScoreKind?

  @Option(
    help: """
      Whether the classes of a cell exclude each other, as after softmax, or are independent, as after a sigmoid: then \
      each has a probability of its own, and they may sum to more than 1.
      """
  )
  var classesAre: ClassRelation?

  @Option(
    help:
      "The encoding of the stored scores. (default: fixed16; for labels of crops what loses nothing)"
  )
  var scoreEncoding: ScoreEncoding.Name?

  @Option(
    help: """
      The defaults of the options below. With small, files are 29 % smaller and targets change by at \
      most 0.002; packing and random reads are slower.
      """
  )
  var preset: Preset = .default

  @Option(help: "The largest error a stored score may have. (default: by preset and score kind)")
  var maxError: Double?

  @Option(help: "The order of the entries in a cell: by score or by class. (default: by preset)")
  var cellOrder: CellOrder?

  @Option(help: "The order of rows: shuffled[:SEED] or source. (default: shuffled:0)")
  var rowOrder: RowOrder?

  @Option(
    help:
      "The order of the grid's axes on the picture: yx if rows run down the picture. (default: unknown for .pt, else yx)"
  )
  var orientation: Orientation?

  @Option(
    help:
      "How many images a chunk holds. (default: by preset, 4 or 16; 1 with --compression none)"
  )
  var imagesPerChunk: Int?

  @Option(
    help:
      "How many images a shard holds. (default: 16384; of labels of crops what takes about 256 MB)"
  )
  var imagesPerShard: Int?

  @Option(
    help:
      "The compression: deflate[:[IDS,]LEVEL] or none. (default: by preset, deflate:4,5 or deflate:12)"
  )
  var compression: Compression?

  @Option(help: "A class list with a line ID<TAB>NAME for each class.", completion: .file())
  var classes: String?

  @Option(
    help: "A JSON document that describes the annotator.",
    completion: .file(extensions: ["json"])
  )
  var annotator: String?

  @Option(help: "A list of the images, with one relative path in each line. It sets image_index.")
  var images: String?

  @Option(
    help: ArgumentHelp(
      "Where the source's class of each image comes from: FILE, from-folders or none.",
      discussion: """
        FILE has a line PATH<TAB>CLASS for each image; CLASS is an id or a number. With from-folders, \
        the name of an image's folder is the id of its class. The packer stores these labels and \
        compares them with the maps. (default: from-folders if the class list has the folders, else none)
        """,
      valueName: "source"
    ),
    completion: .file()
  )
  var labels: String?

  @Option(
    help: "A folder with the pictures. The packer stores their sizes and digests. Repeatable.",
    completion: .directory
  )
  var pictures: [String] = []

  @Option(
    help: ArgumentHelp(
      "Leave out the images that are marked 'exclude' in this file, by name.",
      discussion: """
        The table of marks that 'relabel browse' writes, or a list with a key in each line. index.json lists the \
        images as left out, with the note of their mark.
        """,
      valueName: "file"
    ),
    completion: .file()
  )
  var exclude: String?

  @Option(
    help: """
      A table with the part of its picture that each map covers. Its columns are key, top, left, height and width, in \
      fractions of the picture, or in pixels if there are also image_height and image_width. The packer stores them \
      as map_extent.
      """,
    completion: .file(extensions: ["csv"])
  )
  var mapExtents: String?

  @Flag(
    help: """
      For dense logits: store the logarithm of the sum of exp(logit) over all classes for each cell. Readers can then \
      compute exact probabilities of the classes that were kept. This takes four bytes a cell before compression.
      """
  )
  var logNormalizer = false

  @Flag(
    help: """
      For dense logits: subtract from each cell the mean logit of the classes that are not kept. These count as 0 in \
      training, and the scores of all classes give the same targets as before.
      """
  )
  var centre = false

  @Option(
    help: """
      How many folders to take off the front of every path below an input folder or in a tar. Use it to make keys \
      equal to the pictures' paths.
      """
  )
  var stripComponents: Int = 0

  @OptionGroup var views: ViewOptions

  @OptionGroup var threads: JobsOption

  @Option(help: "What to do with broken or unsafe input: fail or skip.")
  var onBadInput: BadInputPolicy = .fail

  @Option(
    help:
      "How many bytes to store for a key. (default: as many as the longest key has; 256 if images arrive one by one)"
  )
  var keyBytes: Int?

  @Flag(
    help:
      """
      For a pipe: keep the full shards of an earlier run, and go on after them. Records have only the images behind \
      them; a tar comes again from its beginning, and its images that are packed are passed over.
      """
  )
  var resume = false

  @Flag(help: "Replace an existing dataset.")
  var overwrite = false

  @Flag(
    help: """
      Write nothing: say what the input was recognised as and why, what the packer would ask, and how large the \
      dataset would be. The exit code is that of packing.
      """
  )
  var dryRun = false

  @Option(help: "The form of the printed summary or error: text or json.")
  var format: OutputFormat = .text

  @OptionGroup var progress: ProgressOptions

  enum BadInputPolicy: String, ExpressibleByArgument, CaseIterable {
    case fail, skip
  }

  /// Makes the command.
  public init() {}

  /// Packs and prints the summary.
  public func run() throws {
    // Or libarchive looks at /etc/localtime for every member of every .pt file: a tenth of the time.
    Environment.setDefault("TZ", "UTC0")
    if dryRun { return try forecast() }
    let meter = progress.meter(of: "images")
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
    case .text:
      if !progress.quiet || !summary.index.leftOut.isEmpty {
        try Output.lines(summary.lines(output: output, elapsed: meter.elapsed))
      }
    case .json: try Output.document(summary.json().pretty())
    }
    if summary.faultyImages > 0 { throw ExitCode(3) }
  }

  /// Prints what packing would do, and ends as it would.
  private func forecast() throws {
    let forecast: PackForecast
    do throws(RelabelError) {
      forecast = try Packer(packOptions()).forecast()
    } catch {
      if format == .json { try Output.document(error.document.pretty()) }
      throw Exit.failing(error)
    }
    switch format {
    case .text: try Output.lines(forecast.lines())
    case .json: try Output.document(forecast.json().pretty())
    }
    if let failure = forecast.failure { throw Exit.failing(failure) }
    if !forecast.leftOut.isEmpty { throw ExitCode(3) }
  }
}
