/// How every command of this package ends; the C interface returns the same numbers.
public enum ExitStatus: Int32, Hashable, Sendable, CaseIterable {
  /// Done; for a verifier: sound.
  case success = 0
  /// A file breaks a rule of the format but can be read.
  case findings = 1
  /// Not everything could be looked at or saved.
  case incomplete = 3
  /// A file could do harm.
  case unsafe = 4
  /// A file is damaged, or an input breaks its own format's rules.
  case corrupt = 5
  /// A file needs a newer reader.
  case unsupported = 6
  /// The arguments make no sense.
  case usage = 64
  /// No such image, file or dataset.
  case notFound = 66
  /// A defect of this package.
  case internalFault = 70
  /// Input or output failed.
  case io = 74

  /// The status in a few words, for help texts and documents.
  public var title: String {
    switch self {
    case .success: "done"
    case .findings: "a broken rule"
    case .incomplete: "incomplete"
    case .unsafe: "unsafe file"
    case .corrupt: "corrupt file"
    case .unsupported: "unsupported version or feature"
    case .usage: "usage"
    case .notFound: "no such image or dataset"
    case .internalFault: "internal error"
    case .io: "input or output failed"
    }
  }
}
