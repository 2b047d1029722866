internal import ArgumentParser
internal import Relabel

/// One image of a shard or dataset, named on the command line, and how to print what is found.
struct ImageArguments: ParsableArguments {
  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(
    name: [.short, .long],
    help: "The key of the image: its relative path without extension."
  )
  var key: String

  @Option(help: "How many classes to list, the most probable first.")
  var top: Int = 5

  @Option(help: "The form of the output: text or json.")
  var format: OutputFormat = .text

  /// Refuses a count below 1.
  func validate() throws {
    if top < 1 { throw ValidationError("Please give --top a number of at least 1.") }
  }

  /// The maps, and where the image is among them.
  func find() throws(RelabelError) -> (maps: any LabelMapSource, position: Int) {
    let maps = try openLabelMaps(path)
    return (maps, try maps.requiredPosition(forKey: key))
  }
}
