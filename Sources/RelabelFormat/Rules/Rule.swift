/// One rule of the format or of the verifier, by its stable id; `spec/rules.md` explains each.
///
/// An id is never used again for another rule. What a rule requires, how much it matters and what a
/// violation makes of a file stand in `Rule+Definitions.swift` and nowhere else in this package.
public enum Rule: String, Hashable, Sendable, CaseIterable {
  // What the cases mean is in their definitions; a documented list here would say it twice.
  case s001 = "S001"
  case s002 = "S002"
  case s003 = "S003"
  case s004 = "S004"

  case c001 = "C001"
  case c002 = "C002"
  case c003 = "C003"
  case c004 = "C004"
  case c005 = "C005"
  case c006 = "C006"
  case c007 = "C007"
  case c008 = "C008"
  case c009 = "C009"
  case c010 = "C010"
  case c011 = "C011"
  case c012 = "C012"
  case c013 = "C013"

  case l001 = "L001"
  case l002 = "L002"
  case l003 = "L003"
  case l004 = "L004"
  case l005 = "L005"
  case l006 = "L006"
  case l007 = "L007"
  case l008 = "L008"
  case l009 = "L009"
  case l010 = "L010"
  case l011 = "L011"
  case l012 = "L012"
  case l013 = "L013"
  case l014 = "L014"

  case v001 = "V001"
  case v002 = "V002"
  case v003 = "V003"
  case v004 = "V004"
  case v005 = "V005"
  case v006 = "V006"
  case v007 = "V007"
  case v008 = "V008"
  case v009 = "V009"
  case v010 = "V010"
  case v011 = "V011"
  case v012 = "V012"
  case v013 = "V013"
  case v014 = "V014"
  case v015 = "V015"
  case v016 = "V016"
  case v017 = "V017"
  case v018 = "V018"

  case m001 = "M001"
  case m002 = "M002"
  case m003 = "M003"
  case m004 = "M004"
  case m005 = "M005"
  case m006 = "M006"
  case m007 = "M007"
  case m008 = "M008"
  case m009 = "M009"
  case m010 = "M010"
  case m011 = "M011"

  case i001 = "I001"
  case i002 = "I002"
  case i003 = "I003"
  case i004 = "I004"
  case i005 = "I005"
  case i006 = "I006"

  case p001 = "P001"
  case p002 = "P002"
  case p003 = "P003"

  /// The stable id, such as `C008`.
  public var id: String { rawValue }
  /// What is required, in one line.
  public var title: String { definition.title }
  /// How much a violation matters, unless a configuration says otherwise.
  public var severity: Severity { definition.severity }
  /// What a violation makes of the file.
  public var outcome: Outcome { definition.outcome }
  /// What the rule looks at.
  public var stage: Stage { rawValue.first.flatMap(Stage.init) ?? .provenance }
}

extension Rule {
  /// How much a broken rule matters.
  public enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Allowed, but worth knowing.
    case note
    /// Allowed, but seldom meant: look before you train.
    case warning
    /// The data breaks the spec.
    case error

    /// A note is less than a warning, a warning less than an error.
    public static func < (a: Severity, b: Severity) -> Bool {
      a != b && (a == .note || b == .error)
    }
  }

  /// What a rule looks at; the first letter of its id.
  public enum Stage: Character, Hashable, Sendable, CaseIterable {
    /// The first bytes, before the structure is looked at.
    case bytes = "S"
    /// How the HDF5 file is built.
    case container = "C"
    /// Whether HDF5 datasets and attributes are those of the format.
    case layout = "L"
    /// What is in the rows.
    case values = "V"
    /// The folder and its index.
    case dataset = "M"
    /// The pictures and what annotators say of them.
    case images = "I"
    /// What somebody will miss.
    case provenance = "P"
  }

  /// What a broken rule makes of the file.
  public enum Outcome: String, Hashable, Sendable, CaseIterable {
    /// Nothing: a warning or a note.
    case sound
    /// The file breaks the spec but can be read.
    case findings
    /// Reading on could do harm.
    case unsafe
    /// Bytes are damaged or missing.
    case corrupt
    /// A newer reader is needed.
    case unsupported

    /// Those that make the verifier fail, gravest first.
    package static let byGravity: [Outcome] = [.corrupt, .unsafe, .unsupported, .findings]

    /// How a command ends that meets such a file.
    public var exitStatus: ExitStatus {
      switch self {
      case .sound: .success
      case .findings: .findings
      case .unsafe: .unsafe
      case .corrupt: .corrupt
      case .unsupported: .unsupported
      }
    }
  }
}
