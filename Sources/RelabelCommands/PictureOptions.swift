internal import ArgumentParser
internal import RelabelPacking
internal import Relabel
internal import RelabelVerification

/// The options of `verify` for those who have the pictures.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compare with the pictures below this folder; may be repeated.",
      discussion: """
        Every image needs its picture at FOLDER/KEY.EXTENSION, and every picture its image; sizes and \
        digests are compared where the dataset has them.
        """,
      valueName: "folder"
    ),
    completion: .directory
  )
  var images: [String] = []

  @Option(
    help: ArgumentHelp(
      "Decide by these boxes whether axis y of the maps runs down the picture.",
      discussion: """
        A table with comma-separated values. Its first line names the columns: key, class (id, name or \
        index), top, left, height, width (fractions of the picture; pixels, if there are also \
        image_height and image_width).
        """,
      valueName: "file.csv"
    ),
    completion: .file(extensions: ["csv"])
  )
  var boxes: String?

  @Option(
    help: ArgumentHelp(
      "Make this many maps anew with --annotator and compare them.",
      discussion: "Needs --images.",
      valueName: "n"
    )
  )
  var recompute: Int?

  @Option(
    help: ArgumentHelp(
      "A shell command that makes label maps.",
      discussion: """
        It reads lines KEY<TAB>PATH from standard input and writes KEY.pt, KEY.npy or .npz into the \
        folder named by RELABEL_OUTPUT, in a form that relabel-pack reads.
        """,
      valueName: "command"
    ),
    completion: .shellCommand("compgen -c")
  )
  var annotator: String?

  @Option(
    help: ArgumentHelp(
      "How far scores made anew may differ on average, beyond the encoding's error.",
      discussion: "By default 0.05, for probabilities 0.01.",
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
