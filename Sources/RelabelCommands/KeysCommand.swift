public import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelSystem

/// `relabel keys`: the keys of the images.
public struct KeysCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "keys",
    abstract:
      "List the keys of the images, one a line, in the order of the source; of crops, key and view.",
    discussion: """
      A terminal gets keys with what would steer it written out; a program gets them as they are.

      \(readingExitCodes)
      """
  )

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(
    name: .customLong("class"),
    help: "List only images whose label has this class at the top: an id, a name or an index.",
    completion: KeyCompletion.classes
  )
  var className: String?

  @Option(help: "With --class: how many classes at the top of a label count.")
  var top: Int?

  @Flag(help: "Also print the file of each image's shard, after a tab.")
  var shard = false

  @Option(help: "The form of the output: text or json. JSON is one object a line.")
  var format: OutputFormat = .text

  /// Makes the command.
  public init() {}

  /// Refuses a count below 1, or one without a class.
  public func validate() throws {
    if let top {
      if top < 1 { throw ValidationError("Please give --top a number of at least 1.") }
      if className == nil { throw ValidationError("--top goes with --class.") }
    }
  }

  /// Prints the keys.
  public func run() throws {
    // Whoever has read enough, such as head, ends the list.
    StandardStream.endWithReader()
    do {
      let listing = try KeyListing(openLabelMaps(path), class: className, among: top ?? 1)
      let isTerminal = StandardStream.output.isTerminal
      var text = ""
      try listing.forEach { line throws(RelabelError) in
        text += try words(line, isTerminal) + "\n"
        if isTerminal || text.utf8.count > Self.block {
          try StandardStream.output.write(text)
          text = ""
        }
      }
      try StandardStream.output.write(text)
    } catch {
      throw Exit.failing(error)
    }
  }

  /// How much a program gets at once.
  private static let block = 1 << 16

  private func words(_ line: KeyListing.Line, _ isTerminal: Bool) throws(RelabelError) -> String {
    switch format {
    case .text:
      let parts = [line.key, line.view.map(String.init), shard ? line.shard : nil].compactMap(
        \.self
      )
      return parts.map { isTerminal ? $0.printable : $0 }.joined(separator: "\t")
    case .json:
      var members: [String: JSON] = ["key": .string(line.key)]
      if let view = line.view { members["view"] = .integer(Int64(view)) }
      if shard { members["shard"] = .string(line.shard) }
      return try JSON.object(members).line()
    }
  }
}
