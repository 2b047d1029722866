public import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelSystem

/// `relabel view`: the picture of one image with its map over it.
public struct ViewCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "view",
    abstract: "Draw one image with its label map over it: as a page, or as an SVG or PNG picture.",
    discussion: """
      The page is one file that opens in any browser without a network. A crop box lies over the picture, \
      and its target changes as you drag it: it is the target that relabel pool prints.

      \(readingExitCodes)
      """
  )

  @OptionGroup var image: ImageChoice

  @Option(
    name: .customLong("pictures"),
    help: ArgumentHelp(
      "A folder of pictures, each at FOLDER/KEY.EXTENSION. Repeatable.",
      discussion: "Without it, the map is drawn alone.",
      valueName: "folder"
    ),
    completion: .directory
  )
  var pictures: [String] = []

  @Option(
    help:
      "How crops are pooled: relabel follows the orientation of the maps, relabel-2021 does what the released code does."
  )
  var profile: PoolingProfile?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The file to write: its ending .html, .svg or .png says the form; - is standard output.",
      discussion:
        "The default is the last part of the key with .html, in this folder. PNG needs the program rsvg-convert.",
      valueName: "file"
    ),
    completion: .file(extensions: ["html", "svg", "png"])
  )
  var output: String?

  @Option(
    help: "The form of the output: html, svg or png. (default: as the ending of --output says)"
  )
  var format: Form?

  @Flag(help: "Write over a file that is there.")
  var overwrite = false

  /// What a view is written as.
  enum Form: String, ExpressibleByArgument, CaseIterable {
    case html, svg, png
  }

  /// Makes the command.
  public init() {}

  /// Refuses folders that are not there and files of no known form.
  public func validate() throws {
    for folder in pictures where !Folder.exists(folder) {
      throw ValidationError("--pictures: there is no folder '\(folder)'.")
    }
    if form == nil {
      throw ValidationError(
        "Please end the name of --output with .html, .svg or .png, or give --format."
      )
    }
  }

  /// Writes the file.
  public func run() throws {
    do {
      let form = form ?? .html
      let target = OutputFile(
        output ?? "\(Folder.name(of: image.key)).\(form.rawValue)",
        overwrites: overwrite
      )
      try target.check(isText: form != .png)
      let shown = try shownImage()
      switch form {
      case .html: try target.write(Array(shown.page().utf8))
      case .svg: try target.write(Array(shown.drawing.utf8))
      case .png: try target.write(shown.raster())
      }
      if shown.picture == nil { shown.notes.forEach { Output.error("Note: \($0)") } }
      if !target.isStandardOutput { try Output.lines([target.path]) }
    } catch {
      throw Exit.failing(error)
    }
  }

  private var form: Form? {
    if let format { return format }
    guard let output, output != OutputFile.standardOutput else { return .html }
    return Form.allCases.first { output.lowercased().hasSuffix(".\($0.rawValue)") }
  }

  private func shownImage() throws(RelabelError) -> ShownImage {
    let (maps, positions) = try image.all()
    return try ShownImage(
      image.key,
      maps,
      at: positions,
      view: image.view,
      picture: pictures.isEmpty ? nil : try ShownPicture.load(image.key, in: pictures),
      profile: profile
    )
  }
}
