internal import ArgumentParser
internal import Relabel

/// One image of a shard or dataset, named on the command line.
struct ImageChoice: ParsableArguments {
  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(
    name: [.short, .long],
    help: "The key of the image: its relative path without extension.",
    completion: KeyCompletion.kind
  )
  var key: String

  @Option(help: "The number of a view, where the dataset has labels of crops.")
  var view: Int?

  /// The maps, and where the image is among them.
  func find() throws(RelabelError) -> (maps: any LabelMapSource, position: Int) {
    let maps = try openLabelMaps(path)
    guard try maps.header.views != nil else {
      guard view == nil else {
        throw RelabelError(.usage, "--view is for labels of crops, and these are of images")
      }
      return (maps, try maps.requiredPosition(forKey: key))
    }
    let positions = try maps.positions(forKey: key)
    guard !positions.isEmpty else { return (maps, try maps.requiredPosition(forKey: key)) }
    var numbers: [Int] = []
    for position in positions {
      let number = try maps.view(at: position).number
      if number == view || positions.count == 1 && view == nil { return (maps, position) }
      numbers.append(number)
    }
    let known =
      numbers.count > 8
      ? "\(numbers.min() ?? 0) … \(numbers.max() ?? 0)"
      : numbers.sorted().map(String.init).joined(separator: ", ")
    throw RelabelError(
      view == nil ? .usage : .notFound,
      (view.map { "there is no view \($0) of the image" } ?? "the image has \(numbers.count) views")
        + "; say which with --view: \(known)",
      at: Location(file: path, key: key)
    )
  }

  /// The maps and all positions of the image: one, or those of its views.
  ///
  /// - Throws: `.notFound` for an image or a view that is not there; `.usage` for a view of an image that has none.
  func all() throws(RelabelError) -> (maps: any LabelMapSource, positions: [Int]) {
    if let found = try views() { return found }
    let (maps, position) = try find()
    guard try maps.header.views != nil else { return (maps, [position]) }
    return (maps, try maps.positions(forKey: key))
  }

  /// All views of the image, where the dataset has labels of crops and none is asked for.
  func views() throws(RelabelError) -> (maps: any LabelMapSource, positions: [Int])? {
    let maps = try openLabelMaps(path)
    guard view == nil, try maps.header.views != nil else { return nil }
    let positions = try maps.positions(forKey: key)
    return positions.count > 1 ? (maps, positions) : nil
  }
}

/// One image, and how to print what is found.
struct ImageArguments: ParsableArguments {
  @OptionGroup var choice: ImageChoice

  @Option(help: "How many classes to list, the most probable first.")
  var top: Int = 5

  @Option(help: "The form of the output: text or json.")
  var format: OutputFormat = .text

  /// The key of the image.
  var key: String { choice.key }

  /// Refuses a count below 1.
  func validate() throws {
    if top < 1 { throw ValidationError("Please give --top a number of at least 1.") }
  }
}
