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
      "Save every readable image of a damaged dataset into a new one, and name what is lost.",
    discussion: """
      Takes a shard, the folder of a dataset or its index.json, whatever is damaged or missing of it. \
      Stored values are copied bit for bit; nothing is guessed. The new dataset has a build id of its \
      own, lists what is lost in index.json, and verifies. The damaged one is not changed.

      An image is lost with its chunk of class_index, score, image_key or image_index, or when its \
      cells break a rule. With the list that the dataset was packed from (--images) a lost key is found \
      by image index, and a lost image index by key.

      \(recoveringExitCodes)
      """
  )

  @Argument(help: "A shard, a dataset's folder or its index.json.", completion: .file())
  var path: String

  @Option(
    name: [.short, .long],
    help: "The folder for the new dataset.",
    completion: .directory
  )
  var output: String

  @Option(help: "Image listing that the dataset was packed from, one relative path a line.")
  var images: String?

  @Option(
    help: """
      Leave this optional dataset out, such as log_normalizer; may be repeated. Images that have lost \
      nothing but their value of it are then saved.
      """
  )
  var without: [String] = []

  @OptionGroup var threads: JobsOption

  @Flag(help: "Replace an existing dataset.")
  var overwrite = false

  @Option(help: "How to print the report: text or json.")
  var format: OutputFormat = .text

  @OptionGroup var isolation: IsolationOptions

  /// Makes the command.
  public init() {}

  /// Recovers and prints the report.
  public func run() throws {
    let meter = ProgressMeter("rows")
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
    case .text: try Output.lines(summary.lines(output: output))
    case .json: try Output.document(summary.json().pretty())
    }
    if summary.index == nil { throw ExitCode(5) }
    if !summary.isComplete { throw ExitCode(3) }
  }

  private func recoverOptions() throws(RelabelError) -> RecoverOptions {
    var options = RecoverOptions(source: path, output: output)
    options.without = Set(without)
    if let images { options.imageList = try TextFile.lines(images) }
    options.jobs = threads.jobs
    options.overwrites = overwrite
    options.isolation = isolation.value
    return options
  }
}
