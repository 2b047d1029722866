/// An error that says what is wrong, where, and what to do about it.
///
/// ```swift
/// do {
///   _ = try ShardedDataset(folder)
/// } catch {
///   print(error)  // one line for people
///   if let rule = error.rule { print(rule.rawValue, "is explained in spec/rules.md") }
///   print(error.location.file ?? "no file")
/// }
/// ```
///
/// Codes are open: more may be added in a minor version.
public struct RelabelError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure this is; it decides the exit code of the command-line tools.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The stable name of the code.
    public let rawValue: String

    /// Makes a code from its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Input that breaks its own format's rules: truncated, out of range, contradictory.
    public static let invalidInput: Code = Code(rawValue: "invalid-input")
    /// Input that could do harm: code in a pickle, paths that leave the folder, a zip bomb.
    public static let unsafeInput: Code = Code(rawValue: "unsafe-input")
    /// A published file that breaks a rule of the format but can be read.
    public static let invalidData: Code = Code(rawValue: "invalid-data")
    /// A published file that is damaged.
    public static let corrupt: Code = Code(rawValue: "corrupt")
    /// A file that needs a newer reader.
    public static let unsupported: Code = Code(rawValue: "unsupported")
    /// A key, row or file that is not there.
    public static let notFound: Code = Code(rawValue: "not-found")
    /// Options that contradict each other or the existing output.
    public static let usage: Code = Code(rawValue: "usage")
    /// The operating system refused: permissions, a full disk.
    public static let io: Code = Code(rawValue: "io")
    /// A defect of this library.
    public static let internalFault: Code = Code(rawValue: "internal")

    /// The stable name of the code.
    public var description: String { rawValue }

    /// How commands end that meet this failure, and what the C interface returns.
    public var exitStatus: ExitStatus {
      switch self {
      case .invalidData: .findings
      case .invalidInput, .corrupt: .corrupt
      case .unsafeInput: .unsafe
      case .unsupported: .unsupported
      case .notFound: .notFound
      case .usage: .usage
      case .io: .io
      default: .internalFault
      }
    }
  }

  /// What kind of failure this is.
  public let code: Code
  /// The rule that a file breaks, or nil where the failure is not about one.
  public let rule: Rule?
  /// One line for the user: what is wrong and what to do.
  public let message: String
  /// Where it happened, as far as known.
  public var location: Location
  /// The index, in the batch that was asked for, of the image whose box was refused; nil where none was.
  public var place: Int?

  /// Makes an error that is not about a rule.
  public init(_ code: Code, _ message: String, at location: Location = Location()) {
    self.code = code
    rule = nil
    self.message = message
    self.location = location
  }

  /// Makes the error for a file that breaks a rule; the code follows from what that makes of the file.
  public init(_ rule: Rule, _ message: String, at location: Location = Location()) {
    code = Code(rule.outcome)
    self.rule = rule
    self.message = message
    self.location = location
  }

  /// One line: the location, the message, and the rule in brackets.
  public var description: String {
    let text = rule.map { "\(message) [\($0.id)]" } ?? message
    return (location.isEmpty ? text : "\(location): \(text)").printable
  }

  /// The same error with the parts of `outer` that its own location lacks.
  public func located(_ outer: Location) -> RelabelError {
    var copy = self
    copy.location = location.filled(from: outer)
    return copy
  }
}

extension RelabelError.Code {
  /// The code of a file that breaks a rule of this outcome.
  init(_ outcome: Rule.Outcome) {
    self =
      switch outcome {
      case .sound, .findings: .invalidData
      case .unsafe: .unsafeInput
      case .corrupt: .corrupt
      case .unsupported: .unsupported
      }
  }
}
