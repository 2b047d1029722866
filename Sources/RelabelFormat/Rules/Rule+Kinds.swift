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

  /// What one rule requires and how much it matters.
  struct Definition {
    let title: String
    let outcome: Outcome
    let severity: Severity

    init(_ title: String, _ outcome: Outcome, _ severity: Severity = .error) {
      self.title = title
      self.outcome = outcome
      self.severity = severity
    }
  }
}
