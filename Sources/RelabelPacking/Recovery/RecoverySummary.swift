public import Relabel

/// The result of a recovery: what was saved, and what was lost.
public struct RecoverySummary: Sendable {
  /// The index of the new dataset, as published; nil when nothing could be saved.
  public let index: DatasetIndex?
  /// The build that the images come from; nil when nothing could be read.
  public let recoveredFrom: String?
  /// Images that are lost, by shard and reason.
  public let losses: [Loss]
  /// Optional values that are lost while their images are not.
  public let unknownValues: [UnknownValues]
  /// Why more than the listed images may be lost.
  public let doubts: [String]
  /// What else is worth knowing.
  public let notes: [String]
  /// What came of the images that people marked to be left out.
  public let exclusions: Exclusions

  /// Images of which it is known that they are lost.
  public var lostImages: Int { losses.reduce(0) { $0 + ($1.count ?? 0) } }

  /// True if it is certain that every image and value was saved.
  public var isComplete: Bool { losses.isEmpty && unknownValues.isEmpty && doubts.isEmpty }
}

/// Values of an optional dataset that say "not known" in the new dataset: the format has a value for
/// that (spec, section 4.5), and the images are sound.
public struct UnknownValues: Hashable, Sendable {
  /// The damaged shard.
  public let shard: String
  /// The optional dataset.
  public let dataset: String
  /// Images concerned.
  public let images: Int
}

/// The progress of a recovery.
public struct RecoveryProgress: Sendable {
  /// Rows read and written so far; each row is read once, and a second time when it is written.
  public let rows: Int
}
