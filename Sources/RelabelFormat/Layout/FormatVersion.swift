/// The version of the layout (spec, "Compatibility").
public struct FormatVersion: Hashable, Sendable, CustomStringConvertible {
  /// A change that old readers would misread.
  public let major: Int
  /// A change that old readers may ignore.
  public let minor: Int

  /// The version this library writes.
  public static let current: FormatVersion = FormatVersion(major: 1, minor: 0)

  /// Features of `features_required` that this library understands; version 1.0 defines none.
  public static let supportedFeatures: Set<String> = []

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

  /// `MAJOR.MINOR`.
  public var description: String { "\(major).\(minor)" }
}

/// The name and version of this software, as written into files.
public enum Software {
  /// The version of the tools and the library.
  public static let version: String = "0.1.0"
}
