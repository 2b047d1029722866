public import Relabel

/// A file that was checked.
public struct CheckedFile: Hashable, Sendable {
  /// What a file is.
  public enum Kind: String, Hashable, Sendable { case shard, index }

  /// The path, as it was reached.
  public let path: String
  /// What it is.
  public let kind: Kind
  /// Size of the file.
  public var bytes: Int64 = 0
  /// SHA-256 of the file, when it was taken.
  public var sha256: String?
  /// Rows that were checked.
  public var images: Int = 0
  /// Chunks that were read and decoded.
  public var chunks: Int = 0
  /// Figures about the labels; see `LabelStatistics`.
  public var statistics: JSON?
  /// True when a finding stopped the check before its end: rules without a finding were perhaps not
  /// looked at.
  public var isStopped: Bool = false

  /// Makes a record of a file that has not been looked at yet.
  package init(_ path: String, _ kind: Kind) {
    self.path = path
    self.kind = kind
  }
}
