public import ArgumentParser
internal import RelabelPacking
internal import Relabel
import Synchronization

/// `relabel recover`: what is readable of a damaged dataset, as a new one.
public struct RecoverCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "recover",
    abstract:
      "Save every readable image of a damaged dataset into a new one, and list the lost images.",
    discussion: """
      The input is a shard, the folder of a dataset, or its index.json. Any part of the dataset may be \
      damaged or missing. The command copies stored values bit for bit and guesses nothing. The new \
      dataset has its own build id, lists the lost images in index.json, and is verified. The damaged \
      dataset is not changed.

      An image is lost if its chunk of class_index, score, image_key or image_index is lost, or if its \
      cells break a rule. If you have the list that the dataset was packed from, give it with --images: \
      a lost key is then found by the image's index, and a lost index by the image's key.

      \(recoveringExitCodes)
      """
  )

  @Argument(help: "A shard, a dataset's folder or its index.json.", completion: .file())
  var path: String

  @Option(
    name: [.short, .long],
    help: "The folder to write the new dataset to.",
    completion: .directory
  )
  var output: String

  @Option(
    help:
      "The list of images that the dataset was packed from, with one relative path in each line."
  )
  var images: String?

  @Option(
    help: """
      Leave this optional HDF5 dataset out, such as log_normalizer. Images that have lost only their \
      value of it are then saved. Repeatable.
      """
  )
  var without: [String] = []

  @Option(
    help: ArgumentHelp(
      "Leave out the images that are marked 'exclude' in this file, by name.",
      discussion: """
        The table of marks that 'relabel browse' writes, or a list with a key in each line. Nothing has to be damaged: \
        the command then makes a new dataset of the images that stay.
        """,
      valueName: "file"
    ),
    completion: .file()
  )
  var exclude: String?

  @OptionGroup var threads: JobsOption

  @Flag(help: "Replace an existing dataset.")
  var overwrite = false

  @Option(help: "The form of the printed report: text or json.")
  var format: OutputFormat = .text

  @OptionGroup var progress: ProgressOptions

  @OptionGroup var isolation: IsolationOptions

  /// Makes the command.
  public init() {}

  /// Recovers and prints the report.
  public func run() throws {
    let meter = progress.meter(of: "rows")
    let summary: RecoverySummary
    do {
      let rows = Mutex(0)
      summary = try Recoverer(recoverOptions()) { progress in
        let done = rows.withLock { rows in
          rows += progress.rows
          return rows
        }
        meter.show(done, of: nil)
      }.run()
      meter.finish()
    } catch {
      meter.finish()
      throw Exit.failing(error)
    }
    switch format {
    case .text:
      if !progress.quiet || !summary.isComplete { try Output.lines(summary.lines(output: output)) }
    case .json: try Output.document(summary.json().pretty())
    }
    if summary.index == nil { throw ExitCode(5) }
    if !summary.isComplete { throw ExitCode(3) }
  }

  private func recoverOptions() throws(RelabelError) -> RecoverOptions {
    var options = RecoverOptions(source: path, output: output)
    options.without = Set(without)
    if let images { options.imageList = try TextFile.lines(images) }
    if let exclude {
      options.exclusions = try ReviewMarks(exclusions: TextFile.bytes(exclude), file: exclude)
    }
    options.jobs = threads.jobs
    options.overwrites = overwrite
    options.isolation = isolation.value
    return options
  }
}
