public import Relabel

/// What a run of the packer would do, found out without writing anything to the dataset's folder.
public struct PackForecast: Sendable {
  /// An option that the packer needs, and why.
  public struct Question: Sendable {
    /// The option, with what it takes.
    public let option: String
    /// What the input leaves open.
    public let reason: String
  }

  /// The dialects that the maps are in.
  public internal(set) var dialects: [String] = []
  /// What shows that they are.
  public internal(set) var evidence: [String] = []
  /// Images of the input; nil where they arrive one after the other.
  public internal(set) var images: Int?
  /// Keys of some of the first images.
  public internal(set) var keys: [String] = []
  /// Bytes of the input; 0 if that is not known.
  public internal(set) var inputBytes: Int64 = 0
  /// What a score is, as far as anybody says it.
  public internal(set) var scoreKind: ScoreKind?
  /// How many classes there are, as far as anybody says it.
  public internal(set) var numClasses: Int?
  /// Grid and k of the maps.
  public internal(set) var shape: MapShape?
  /// How the grid lies on the picture.
  public internal(set) var orientation: Orientation?
  /// The optional datasets that would be stored.
  public internal(set) var columns: [String] = []
  /// What the packer would ask.
  public internal(set) var questions: [Question] = []
  /// What the packer would assume.
  public internal(set) var assumptions: [Assumption] = []
  /// Images that were packed in memory to estimate the size.
  public internal(set) var sampled: Int = 0
  /// Images of the sample that would be left out, and why.
  public internal(set) var leftOut: [String] = []
  /// Bytes for each image; nil where nothing could be packed.
  public internal(set) var bytesPerImage: Double?
  /// Bytes of the whole dataset; nil where the number of images is not known.
  public internal(set) var outputBytes: Int64?
  /// Seconds that packing would take about, of which verifying is a part; nil as above.
  public internal(set) var seconds: Double?
  /// Files of the input folders that are not label maps.
  public internal(set) var ignored: [String] = []
  /// Images that are there more than once as equal copies.
  public internal(set) var copies: [String] = []
  /// Lines of the image listing that have no label map.
  public internal(set) var unmatchedListLines: [String] = []
  /// What packing would end with; nil if it would go ahead.
  public internal(set) var failure: RelabelError?
}
