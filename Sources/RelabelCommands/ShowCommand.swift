public import ArgumentParser
internal import Relabel
internal import RelabelPages

/// `relabel show`: the labels of one image.
public struct ShowCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "show",
    abstract:
      "Show the labels of one image: its most probable classes, and the best class of each cell; of crops, its views.",
    discussion: readingExitCodes
  )

  @OptionGroup var image: ImageArguments

  @OptionGroup var colours: ColourOptions

  /// Makes the command.
  public init() {}

  /// Prints the labels.
  public func run() throws {
    do {
      if let (maps, positions) = try image.choice.views() {
        let shown = try ShownViews(maps, positions, image)
        switch image.format {
        case .text: try Output.lines(shown.lines())
        case .json: try Output.document(shown.json().pretty())
        }
        return
      }
      let (maps, position) = try image.choice.find()
      let map = try maps.map(at: position)
      // Over all that the map covers, orientation makes no difference.
      let pooling = try LabelPooling(maps.header, profile: .relabel)
      let shown = ImageText(
        key: image.key,
        imageIndex: try maps.imageIndex(at: position),
        map: map.ofClasses(),
        view: try maps.header.views == nil ? nil : maps.view(at: position),
        top: TopClasses(
          entries: try pooling.target(of: map, in: map.extent).top(image.top),
          header: try maps.header
        )
      )
      switch image.format {
      case .text:
        try Output.lines(shown.lines())
        guard let depth = colours.depth else { return }
        // Its names have passed the gate; its colours must not.
        let grid = ColourGrid(map, try maps.header, depth)
        try Output.document(grid.lines.joined(separator: "\n"))
      case .json: try Output.document(shown.json().pretty())
      }
    } catch {
      throw Exit.failing(error)
    }
  }
}

/// One image with its labels, ready to print.
private struct ImageText {
  let key: String
  let imageIndex: Int64
  let map: LabelMap
  let view: LabelView?
  let top: TopClasses

  func lines() -> [String] {
    var lines = ["\(key): image \(imageIndex) of the source, \(map.shape)"]
    lines += view.map { ["view \($0.number)"] + $0.lines() + ["the view:"] } ?? ["whole image:"]
    lines += top.lines()
    lines.append("best class of each cell:")
    let best = bestOfCells()
    let width = best.map { String($0).count }.max() ?? 1
    for y in 0..<map.shape.height {
      let row = best[(y * map.shape.width)..<((y + 1) * map.shape.width)]
      lines.append(
        "  "
          + row.map { id in
            let text = String(id)
            return String(repeating: " ", count: width - text.count) + text
          }.joined(separator: " ")
      )
    }
    return lines
  }

  /// The class with the highest score of each cell, whatever the cell order.
  private func bestOfCells() -> [UInt32] {
    let k = map.shape.topK
    return stride(from: 0, to: map.shape.entries, by: k).map { start in
      let best = (start..<start + k).max { map.score[$0] < map.score[$1] } ?? start
      return map.classIndex[best]
    }
  }

  func json() -> JSON {
    var members = view.map { ["view": $0.json] } ?? [:]
    members.merge([
      "key": .string(key),
      "image_index": .integer(imageIndex),
      "top": top.json(),
      "class_index": nested(map.classIndex.map { .integer(Int64($0)) }),
      "score": nested(map.score.map { .number(Double($0)) }),
    ]) { _, own in own }
    return .object(members)
  }

  /// Entries as nested arrays [y][x][rank].
  private func nested(_ entries: [JSON]) -> JSON {
    func split(_ entries: [JSON], _ size: Int) -> [JSON] {
      stride(from: 0, to: entries.count, by: size).map { .array(Array(entries[$0..<$0 + size])) }
    }
    return .array(split(split(entries, map.shape.topK), map.shape.width))
  }
}
