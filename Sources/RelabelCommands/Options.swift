public import ArgumentParser
public import RelabelPacking
public import Relabel
public import RelabelVerification

// The words of the command line for the library's types.

extension ScoreKind: ExpressibleByArgument {
  /// Reads `log-probability` as well as `log_probability`.
  public init?(argument: String) {
    self.init(rawValue: argument.replacing("-", with: "_"))
  }
  /// The words that help shows.
  public static var allValueStrings: [String] {
    allCases.map { $0.rawValue.replacing("_", with: "-") }
  }
}

extension ScoreEncoding.Name: ExpressibleByArgument {}
extension ClassRelation: ExpressibleByArgument {}
extension CellOrder: ExpressibleByArgument {}
extension Preset: ExpressibleByArgument {}
extension Orientation: ExpressibleByArgument {}
extension FailureThreshold: ExpressibleByArgument {}
extension Verifier.Level: ExpressibleByArgument {}

extension RowOrder: ExpressibleByArgument {
  /// Reads `shuffled[:SEED]` or `source`.
  public init?(argument: String) { self.init(argument) }
}

extension Compression: ExpressibleByArgument {
  /// Reads `deflate[:[IDS,]LEVEL]` or `none`.
  public init?(argument: String) { self.init(argument) }
}

/// The option shared by all commands that use several threads.
struct JobsOption: ParsableArguments {
  @Option(
    name: [.customShort("j", allowingJoined: true), .long],
    help: "How many threads to use. The result does not depend on the number."
  )
  var jobs: Int = min(max(Parallel.processors, 1), 64)

  func validate() throws {
    if jobs < 1 { throw ValidationError("Please give --jobs a number of at least 1.") }
  }
}

/// A text file named on the command line.
enum TextFile {
  /// The most bytes of a class list, an annotator document, an image listing or a table of boxes.
  private static let limit = 1 << 28

  static func bytes(_ path: String) throws(RelabelError) -> [UInt8] {
    try Folder.contents(path, limit: limit)
  }

  /// The text of a file, whatever editor wrote it.
  static func read(_ path: String) throws(RelabelError) -> String {
    String(decoding: try TextList.text(bytes(path), file: path), as: UTF8.self)
  }

  /// The entries of a list, one a line.
  static func lines(_ path: String) throws(RelabelError) -> [String] {
    try TextList.lines(bytes(path), file: path).map { TextList.unquoted($0) }
  }
}
