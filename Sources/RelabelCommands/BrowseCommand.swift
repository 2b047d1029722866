public import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelServer

/// `relabel browse`: a page on this machine to look at images and mark them.
public struct BrowseCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "browse",
    abstract: "Look at images and their label maps on a page of this machine, and mark them.",
    discussion: """
      The command prints an address; open it in a browser. Only this machine can reach the page, and only who has the \
      address. Press Ctrl-C to end. Nothing is written but the file that --marks names; relabel-pack --exclude and \
      relabel recover --exclude read it.

      \(readingExitCodes)
      """
  )

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(
    help: "A folder with the pictures, at FOLDER/KEY.EXTENSION. Repeatable.",
    completion: .directory
  )
  var pictures: [String] = []

  @Option(
    help: "Another dataset over the same images, which is shown beside the first.",
    completion: .file()
  )
  var compare: String?

  @Option(
    help: "The table of marks to go on with, or to begin; without it, nothing can be marked.",
    completion: .file(extensions: ["tsv"])
  )
  var marks: String?

  @Option(help: "The port to listen on; 0 for any that is free.")
  var port: Int = 0

  @OptionGroup var threads: JobsOption

  /// Makes the command.
  public init() {}

  /// Refuses what is no port, and folders that are not there.
  public func validate() throws {
    if !(0...65_535).contains(port) {
      throw ValidationError("Please give --port a number from 0 to 65535.")
    }
    for folder in pictures where !Folder.exists(folder) {
      throw ValidationError("--pictures: there is no folder '\(folder)'.")
    }
  }

  /// Serves the page until Ctrl-C.
  public func run() throws {
    // Before the first thread is made, which would take the signal otherwise.
    Interrupt.hold()
    do throws(RelabelError) {
      var options = Browser.Options(path: path)
      (options.pictures, options.other, options.marks) = (pictures, compare, marks)
      options.jobs = threads.jobs
      let browser = try Browser(options)
      let server = try LocalServer(port: port) { browser.answer($0) }
      browser.start()
      try Output.lines([server.address])
      Output.error("Open this address in a browser on this machine; press Ctrl-C to end.")
      Interrupt.wait()
      browser.stop()
      server.stop()
      if let marks = browser.marks {
        Output.error("\(counted(marks.marks.keys.count, "marked image")) in \(marks.path)")
      }
    } catch {
      throw Exit.failing(error)
    }
  }
}
