internal import ArgumentParser
internal import Relabel

/// The options of `pack` for labels of crops, of which no file says what they are.
struct ViewOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "For labels of crops: height and width in pixels of what the annotator saw, if no file says it.",
      valueName: "heightxwidth"
    )
  )
  var viewSize: String?

  @Option(
    help:
      "For labels of crops: how crops were resized, such as bilinear or bicubic. (default: unknown)"
  )
  var interpolation: String?

  @Flag(
    inversion: .prefixedNo,
    help: "For labels of crops: whether resizing smoothed what it made smaller. (default: unknown)"
  )
  var antialias: Bool?

  @Option(
    help:
      "For labels of crops: whether the annotator ran as in training or not: eval, train or unknown."
  )
  var teacherMode: TeacherMode = .unknown

  @Option(help: "For labels of crops: the temperature at which the probabilities were made.")
  var temperature: Double?

  @Option(
    help: ArgumentHelp(
      "For labels of crops: what the program that wrote them calls their form, such as marginal_smoothing_k5.",
      valueName: "word"
    )
  )
  var labelType: String?

  enum TeacherMode: String, ExpressibleByArgument, CaseIterable {
    case eval, train, unknown
  }

  func validate() throws {
    if let temperature, !(temperature > 0 && temperature.isFinite) {
      throw ValidationError("Please give --temperature a number above 0.")
    }
    if viewSize != nil, size == nil {
      throw ValidationError("Please give --view-size as HEIGHTxWIDTH, such as 224x224.")
    }
  }

  private var size: ViewFacts.Size? {
    let sides = (viewSize ?? "").split(separator: "x", omittingEmptySubsequences: false).map {
      Int32($0) ?? 0
    }
    guard sides.count == 2, sides.allSatisfy({ $0 > 0 }) else { return nil }
    return ViewFacts.Size(height: Int(sides[0]), width: Int(sides[1]))
  }

  /// What the user says.
  var words: ViewWords {
    var words = ViewWords()
    words.size = size
    words.interpolation = interpolation
    words.antialias = antialias
    words.teacherMode = teacherMode.rawValue
    words.temperature = temperature
    words.labelType = labelType
    return words
  }
}
