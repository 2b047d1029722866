public import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelVerification

/// `relabel report`: one page that shows a whole dataset.
public struct ReportCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Show a whole dataset on one page: what to look at first, agreement, classes, images.",
    discussion: """
      The page is one file that opens without a network. The command reads every map once. A dataset with \
      findings of the verifier gets its page, too, if its maps can be read.

      \(readingExitCodes)
      """
  )

  /// The form of a report.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case html, json
  }

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp(
      "The file to write, or - for standard output.",
      valueName: "file"
    ),
    completion: .file()
  )
  var output: String

  @Option(
    help: ArgumentHelp(
      "Show small pictures from below this folder. Repeatable.",
      discussion: """
        A picture is at FOLDER/KEY.EXTENSION. The program vipsthumbnail makes the small pictures; Debian has it in \
        libvips-tools.
        """,
      valueName: "folder"
    ),
    completion: .directory
  )
  var pictures: [String] = []

  @Option(
    help: ArgumentHelp(
      "Count the marks in this file, which has lines KEY<TAB>MARK<TAB>NOTE.",
      valueName: "file.tsv"
    ),
    completion: .file(extensions: ["tsv"])
  )
  var marks: String?

  @Option(help: "The form of the output: html, or json for programs.")
  var format: Form = .html

  @Option(help: "How much the verifier reads: quick for the structure only, or full.")
  var level: Verifier.Level = .quick

  @Flag(help: "Replace a file that is there.")
  var overwrite = false

  @OptionGroup var progress: ProgressOptions
  @OptionGroup var threads: JobsOption
  @OptionGroup var isolation: IsolationOptions

  /// Makes the command.
  public init() {}

  /// Checks what needs no file.
  public func validate() throws {
    for folder in pictures where !Folder.exists(folder) {
      throw ValidationError("--pictures: there is no folder '\(folder)'.")
    }
    if output.hasSuffix(".h5") || output.hasSuffix("index.json") {
      throw ValidationError("A report can't be written to '\(output)', which is a name for labels.")
    }
  }

  /// Writes the report.
  public func run() throws {
    do {
      let target = PageTarget(output, overwrites: overwrite)
      try target.check()
      var report = DatasetReport(path)
      report.jobs = threads.jobs
      report.level = level
      report.isolation = isolation.value
      report.pictures = pictures
      report.marks = marks
      let meter = progress.meter(of: "images")
      let document = try report.document { meter.show($0, of: $1) }
      meter.finish()
      switch format {
      case .html: try target.write(Page(.report, title: report.title, document: document).html())
      case .json: try target.write(document.pretty() + "\n")
      }
    } catch {
      throw Exit.failing(error)
    }
  }
}
