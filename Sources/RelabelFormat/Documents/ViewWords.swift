/// What the user says of labels of crops, because no file does.
public struct ViewWords: Sendable, Hashable {
  /// Height and width of what the annotator saw.
  public var size: ViewFacts.Size?
  /// How crops were resized: `bilinear`, `bicubic` or another word.
  public var interpolation: String?
  /// Whether resizing smoothed what it made smaller.
  public var antialias: Bool?
  /// Whether the annotator ran as in training (`train`) or not (`eval`).
  public var teacherMode: String?
  /// The temperature that probabilities were made at.
  public var temperature: Double?
  /// What the writer's program calls the form of its labels, such as `marginal_smoothing_k5`.
  public var labelType: String?

  /// Nothing is said.
  public init() {}
}
