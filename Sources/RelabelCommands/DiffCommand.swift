public import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelVerification

/// `relabel diff`: how the labels of two datasets over the same images differ.
public struct DiffCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare the labels of two datasets over the same images.",
    discussion: """
      Images meet by key, views by key and number. Labels are the same if images, classes of each cell, scores and \
      meaning are: order, shards, compression and the order of a cell's entries do not count.

      \(comparingExitCodes)
      """
  )

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var a: String

  @Argument(help: "The other one.", completion: .file())
  var b: String

  @Option(
    help: "The form of the output: text, json or html. Without it, the ending of --output decides."
  )
  var format: DifferenceFormat?

  @Option(name: [.short, .long], help: "Where the output goes.", completion: .file())
  var output: String?

  @Flag(help: "Replace the file that --output names.")
  var overwrite = false

  @Option(
    help: "A folder with the pictures, for html: each is shown beside its maps. Can be repeated.",
    completion: .directory
  )
  var pictures: [String] = []

  @Option(help: "How many random crops of each image to compare the targets of.")
  var crops: Int = 4

  @Option(help: "What the random crops are drawn from.")
  var seed: UInt64 = 0

  @Option(
    help: """
      By how much scores may differ and still be the same: a number, or 'encodings' for what the two encodings \
      promise together.
      """
  )
  var tolerance: ScoreTolerance = .number(0)

  @Option(help: "How many images, keys and pairs of classes to list.")
  var top: Int = 20

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  @OptionGroup var jobs: JobsOption

  /// Makes the command.
  public init() {}

  /// Refuses numbers that make no sense.
  public func validate() throws {
    if crops < 0 { throw ValidationError("Please give --crops a number of at least 0.") }
    if top < 0 { throw ValidationError("Please give --top a number of at least 0.") }
    if !pictures.isEmpty, form != .html {
      throw ValidationError("Please give --pictures only for --format html.")
    }
  }

  /// Compares, and prints or writes what was found.
  public func run() throws {
    let verdict: DatasetDifference.Verdict
    do {
      verdict = try compare()
    } catch {
      // 1 says that labels differ, and nothing else.
      let failure = Exit.failing(error)
      throw failure.rawValue == ExitStatus.findings.rawValue
        ? ExitCode(ExitStatus.corrupt.rawValue) : failure
    }
    if !verdict.isSame { throw ExitCode(ExitStatus.findings.rawValue) }
  }

  private var form: DifferenceFormat {
    if let format { return format }
    let ending = output.map { $0[ImageKey.extensionStart($0)...] } ?? ""
    return ending == ".html" || ending == ".htm" ? .html : ending == ".json" ? .json : .text
  }

  private func compare() throws(RelabelError) -> DatasetDifference.Verdict {
    try checkOutput()
    let index = try pictures.isEmpty ? nil : PictureIndex(pictures)
    let (mapsA, mapsB) = (try openLabelMaps(a), try openLabelMaps(b))
    let options = DifferenceOptions(crops: crops, seed: seed, tolerance: tolerance, listed: top)
    let meter = ProgressMeter("images", isQuiet: quiet)
    let difference = try DatasetComparison(mapsA, mapsB, options).run(jobs: jobs.jobs) {
      meter.show($0, of: $1)
    }
    meter.finish()
    switch form {
    case .text: try write(difference.lines.map(\.printable).joined(separator: "\n") + "\n")
    case .json: try write(try difference.json.pretty() + "\n")
    case .html: try write(try DifferencePage(difference, pictures: index).html())
    }
    return difference.verdict
  }

  /// Refuses a file that is there, before the work.
  private func checkOutput() throws(RelabelError) {
    guard let output, output != "-", !SpecialFile.isAt(output) else { return }
    guard Folder.hasFile(output), !overwrite else {
      return try ReportTarget.check(file: output)
    }
    throw RelabelError(
      .usage,
      "the file is there already: name another, or give --overwrite",
      at: Location(file: output)
    )
  }

  private func write(_ text: String) throws(RelabelError) {
    guard let output, output != "-" else { return try StandardStream.output.write(text) }
    if SpecialFile.isAt(output) { return try SpecialFile.write(text, to: output) }
    try PublishedFile.write(Array(text.utf8), to: output)
  }
}

/// The form of a difference.
enum DifferenceFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, html
}

extension ScoreTolerance: ExpressibleByArgument {
  /// Reads a number of at least 0, or `encodings`.
  public init?(argument: String) {
    if argument == "encodings" {
      self = .encodings
      return
    }
    guard let number = Double(argument), number >= 0, number.isFinite else { return nil }
    self = .number(number)
  }
}
