public import Relabel

/// Label maps to make anew, to see whether the annotator is the one that made the stored ones.
public struct Recomputation: Sendable {
  /// How many images, spread over the dataset by a hash of their keys.
  public let images: Int
  /// How far scores may differ on average, beyond what the encoding explains; nil for 0.05, or 0.01
  /// for probabilities.
  public let tolerance: Double?
  /// Who makes the maps.
  public let annotator: any Annotator

  /// Makes a request for at least one image.
  public init(images: Int, tolerance: Double? = nil, annotator: any Annotator) {
    self.images = images
    self.tolerance = tolerance
    self.annotator = annotator
  }
}

/// Makes label maps of pictures.
public protocol Annotator: Sendable {
  /// Starts on some pictures and returns when their maps can be had.
  ///
  /// - Throws: `.io` when the annotator fails, with its own words.
  func annotate(_ request: AnnotationRequest) throws(RelabelError) -> any FreshMaps
}

/// What an annotator is asked for.
public struct AnnotationRequest: Sendable {
  /// Keys of images, and the paths of their pictures.
  public let pictures: [(key: String, path: String)]
  /// Entries of a cell.
  public let topK: Int
  /// Classes that the annotator scores.
  public let numClasses: Int
  /// What a score is.
  public let scoreKind: ScoreKind
}

/// Label maps that were made anew.
public protocol FreshMaps: Sendable {
  /// The map of an image, or nil when the annotator left it out.
  ///
  /// - Throws: `.io` or `.invalidInput` for one that can't be read.
  func map(forKey key: String) throws(RelabelError) -> LabelMap?
}

/// Chooses images whose maps are made anew: those whose keys have the least hashes.
///
/// So the choice does not depend on the order of rows, nor on how the dataset is cut into shards.
struct RecomputationChoice {
  /// An image that was chosen.
  struct Image: Sendable {
    let key: String
    let shard: String
    let row: Int
    fileprivate let hash: UInt64
  }

  private let count: Int
  private var candidates: [Image] = []

  init(count: Int) { self.count = count }

  mutating func add(_ key: String, row: Int, of shard: String) {
    let hash = SplitMix64.bits(0, from: KeyHash.of(key.utf8))
    // Sorted once for many images, so that the least hashes cost O(1) each.
    if candidates.count >= 2 * count + 1000 { candidates = images }
    candidates.append(Image(key: key, shard: shard, row: row, hash: hash))
  }

  /// The images chosen among those added, by ascending hash.
  var images: [Image] { Array(candidates.sorted { $0.hash < $1.hash }.prefix(count)) }
}
