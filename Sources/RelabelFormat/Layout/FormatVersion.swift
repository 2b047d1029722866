/// The version of the layout (spec, "Compatibility").
public struct FormatVersion: Hashable, Sendable, CustomStringConvertible {
  /// A change that old readers would misread.
  public let major: Int
  /// A change that old readers may ignore.
  public let minor: Int

  /// The version of files that ask for no feature.
  public static let current: FormatVersion = FormatVersion(major: 1, minor: 0)
  /// The newest version whose features and names this library knows, and that of files that ask for one of them.
  public static let newest: FormatVersion = FormatVersion(major: 1, minor: 1)

  /// Features of `features_required` that this library understands.
  public static let supportedFeatures: Set<String> = [
    Features.independent, Features.views, Features.factors,
  ]

  init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  /// Reads `MAJOR.MINOR`.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]),
      major >= 0, minor >= 0, "\(major).\(minor)" == text
    else { return nil }
    self.init(major: major, minor: minor)
  }

  /// True where this library knows every name that files of the version may use.
  package var isKnown: Bool { major == Self.newest.major && minor <= Self.newest.minor }

  /// `MAJOR.MINOR`.
  public var description: String { "\(major).\(minor)" }
}

/// The name and version of this software, as written into files.
public enum Software {
  /// The version of the tools and the library.
  public static let version: String = "0.1.0"
}
