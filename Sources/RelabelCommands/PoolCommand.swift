public import ArgumentParser
public import Relabel

/// `relabel pool`: the training target of one crop of one image.
public struct PoolCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "pool",
    abstract:
      "Pool the labels of one image over a crop box. The result is the target that a training step would use.",
    discussion: """
      The box is TOP,LEFT,HEIGHT,WIDTH in fractions of the original picture. For example, a picture is \
      300 pixels high and 400 wide, and a crop of 120×160 pixels begins at row 30 and column 40: its \
      box is 0.1,0.1,0.4,0.4.

      \(readingExitCodes)
      """
  )

  @OptionGroup var image: ImageArguments

  @Option(help: "The crop box TOP,LEFT,HEIGHT,WIDTH. Each number is from 0 to 1.")
  var box: CropBox

  @Option(
    help: """
      How the box is laid over the grid: relabel follows the orientation of the maps, relabel-2021 does \
      what the released code does. Maps of unknown orientation need this option.
      """
  )
  var profile: PoolingProfile?

  @Option(help: "What to do with a box that leaves the part of the picture that the map covers.")
  var outside: OutsideExtent = .error

  /// Makes the command.
  public init() {}

  /// Prints the target.
  public func run() throws {
    do {
      let (maps, position) = try image.choice.find()
      let header = try maps.header
      let pooling = try LabelPooling(header, profile: profile, outside: outside)
      let target = try maps.targets(at: [position], in: [[box]], pooling)[0][0]
      let classes = TopClasses(entries: target.top(image.top), header: header)
      switch image.format {
      case .text: try Output.lines(lines(target, classes, pooling.profile))
      case .json: try Output.document(json(target, classes, pooling.profile).pretty())
      }
    } catch {
      throw Exit.failing(error)
    }
  }

  private func lines(
    _ target: PooledTarget,
    _ classes: TopClasses,
    _ profile: PoolingProfile
  ) -> [String] {
    let sides = box.components.map { "\($0)" }.joined(separator: ", ")
    var lines = ["\(image.key), box \(sides), profile \(profile.rawValue):"] + classes.lines()
    let others = target.numClasses - target.classIndex.count
    lines.append("  each of \(others) classes not pooled: \(target.rest)")
    if target.covered < 1 {
      lines.append("  the map covers \((target.covered * 100).rounded(to: 1)) % of the box")
    }
    return lines
  }

  private func json(
    _ target: PooledTarget,
    _ classes: TopClasses,
    _ profile: PoolingProfile
  ) -> JSON {
    .object([
      "key": .string(image.key),
      "box": .array(box.components.map { .number($0) }),
      "profile": .string(profile.rawValue),
      "top": classes.json(),
      "rest": .number(Double(target.rest)),
      "covered": .number(target.covered),
    ])
  }
}

extension CropBox: ExpressibleByArgument {
  /// Reads `TOP,LEFT,HEIGHT,WIDTH`; whether the box is within the picture is seen when it is used.
  public init?(argument: String) {
    let sides = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Double($0.filter { $0 != " " })
    }
    guard sides.count == 4, let top = sides[0], let left = sides[1], let height = sides[2],
      let width = sides[3]
    else { return nil }
    self.init(top: top, left: left, height: height, width: width)
  }
}

extension PoolingProfile: ExpressibleByArgument {}
extension OutsideExtent: ExpressibleByArgument {}
