public import Relabel

/// The result of a run of the packer.
public struct PackSummary: Sendable {
  /// The dataset's index, as published.
  public let index: DatasetIndex
  /// Shards that an earlier run had finished and this one kept.
  public let keptShards: Int
  /// Shards of an earlier run that were made again, since the input now gives others.
  public let remadeShards: Int
  /// Bytes of all shards and the index.
  public let outputBytes: Int64
  /// Bytes of the input.
  public let inputBytes: Int64
  /// What storing does to targets, measured on a sample; nil where none could be made.
  public let effect: TargetEffect?
  /// What the cut to k does to targets; nil where no image was given with the scores of all classes.
  public let cut: CutEffect?
  /// What factors would lose beside what the cut loses; nil where nobody asked, and where factors can't be made.
  public let alternative: FactorAlternative?
  /// How far targets of maps of factors are from those of all scores; nil where the best classes are kept.
  public let targetError: TargetError?
  /// How maps and the classes of the source agree.
  public let agreement: LabelAgreement
  /// What the packer had to assume.
  public let assumptions: [Assumption]
  /// Doubts about the declared score kind, in sentences.
  public let doubts: [String]
  /// Files of the input folders that are not label maps.
  public let ignored: [String]
  /// Images that were there more than once as equal copies, of which one was kept.
  public let copies: [String]
  /// Lines of the image listing that have no label map.
  public let unmatchedListLines: [String]
  /// What came of the images that people marked to be left out.
  public let exclusions: Exclusions

  /// Images that are left out though nobody asked for it.
  public var faultyImages: Int { index.leftOut.count - exclusions.images }

  /// Bytes of the dataset for each image, everything included.
  public var bytesPerImage: Double {
    index.count == 0 ? 0 : Double(outputBytes) / Double(index.count)
  }

  /// The largest |decoded − given| of all scores.
  public var largestError: Double { index.shards.compactMap(\.largestError).max() ?? 0 }
}

/// The progress of a run.
public struct PackProgress: Sendable {
  /// Images done, left-out ones included.
  public let images: Int
  /// Images in all, when they are known.
  public let total: Int?
}
