internal import ArgumentParser
internal import RelabelPacking
internal import Relabel
internal import RelabelVerification

/// The options of `verify` for those who have the pictures.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compare the dataset with the pictures below this folder. Repeatable.",
      discussion: """
        Every image must have a picture at FOLDER/KEY.EXTENSION, and every picture must have an image. \
        Sizes and digests are compared if the dataset has them.
        """,
      valueName: "folder"
    ),
    completion: .directory
  )
  var images: [String] = []

  @Option(
    help: ArgumentHelp(
      "Use these boxes to check whether axis y of the maps runs down the picture.",
      discussion: """
        A table with comma-separated values. Its first line names the columns: key, class, top, left, \
        height and width. A class is an id, a name or an index. The other values are fractions of the \
        picture, or pixels if there are also image_height and image_width.
        """,
      valueName: "file.csv"
    ),
    completion: .file(extensions: ["csv"])
  )
  var boxes: String?

  @Option(
    help: ArgumentHelp(
      "Compute this many maps again with --annotator, and compare them with the stored maps.",
      discussion: "This option needs --images.",
      valueName: "n"
    )
  )
  var recompute: Int?

  @Option(
    help: ArgumentHelp(
      "A shell command that computes label maps.",
      discussion: """
        The command reads lines KEY<TAB>PATH from standard input. It writes KEY.pt, KEY.npy or .npz \
        files, in a form that relabel-pack reads, to the folder that the variable RELABEL_OUTPUT names.
        """,
      valueName: "command"
    ),
    completion: .shellCommand("compgen -c")
  )
  var annotator: String?

  @Option(
    help: ArgumentHelp(
      "How much recomputed scores may differ on average, in addition to the error of the encoding.",
      discussion: "The default is 0.01 for probabilities and 0.05 for other scores.",
      valueName: "difference"
    )
  )
  var recomputeTolerance: Double?

  func validate() throws {
    for folder in images where !Folder.exists(folder) {
      throw ValidationError("--images: there is no folder '\(folder)'.")
    }
    if let recompute {
      if recompute < 1 { throw ValidationError("Please give --recompute a number of at least 1.") }
      if annotator == nil { throw ValidationError("--recompute needs --annotator.") }
      if images.isEmpty { throw ValidationError("--recompute needs --images.") }
    } else if annotator != nil || recomputeTolerance != nil {
      throw ValidationError("--annotator and --recompute-tolerance go with --recompute.")
    }
    if let recomputeTolerance, !(recomputeTolerance >= 0 && recomputeTolerance.isFinite) {
      throw ValidationError("Please give --recompute-tolerance a number of at least 0.")
    }
  }

  /// What to check, or nil when nothing is asked for.
  ///
  /// - Throws: `.usage` or `.io` for a table of boxes that can't be read.
  func checks() throws(RelabelError) -> PictureChecks? {
    if images.isEmpty && boxes == nil { return nil }
    var checks = PictureChecks()
    checks.folders = images
    if let boxes { checks.boxes = try BoxTable(parsing: TextFile.bytes(boxes), file: boxes) }
    if let recompute, let annotator {
      checks.recomputation = Recomputation(
        images: recompute,
        tolerance: recomputeTolerance,
        annotator: AnnotatorCommand(annotator)
      )
    }
    return checks
  }
}
