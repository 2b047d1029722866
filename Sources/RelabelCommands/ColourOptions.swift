internal import ArgumentParser
internal import Relabel
internal import RelabelPages
internal import RelabelSystem

/// Whether a terminal gets colours.
struct ColourOptions: ParsableArguments {
  /// When there are colours.
  enum When: String, ExpressibleByArgument, CaseIterable {
    case always, auto, never
  }

  @Option(
    name: [.customLong("colour"), .customLong("color")],
    help: ArgumentHelp(
      "Whether to draw the grid in colours: always, auto or never.",
      discussion: "With auto, it is drawn on a terminal unless the variable NO_COLOR is set.",
      valueName: "when"
    )
  )
  var colour: When = .auto

  /// How colours are written, or nil where there are none.
  var depth: ColourGrid.Depth? {
    switch colour {
    case .never: return nil
    case .auto where !isWanted: return nil
    case .auto, .always:
      let words = Environment.variable("COLORTERM") ?? ""
      return ["truecolor", "24bit"].contains(words.lowercased()) ? .true24 : .palette256
    }
  }

  private var isWanted: Bool {
    StandardStream.output.isTerminal && (Environment.variable("NO_COLOR") ?? "").isEmpty
      && Environment.variable("TERM") != "dumb"
  }
}
