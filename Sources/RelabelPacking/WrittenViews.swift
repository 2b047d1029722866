import AnnotatorOutputs
public import Relabel

/// What a program says of all the views that it writes (spec, section 4.10).
///
/// ```swift
/// var options = PackOptions(output: folder)
/// options.numClasses = 1000
/// options.scoreKind = .logit
/// options.rowOrder = .image  // all views of an image follow each other
/// let how: JSON = .object(["interpolation": .string("bilinear")])
/// let views = WrittenViews(details: [.box, .flip], document: how)
/// let writer = try DatasetWriter(options, views: views)
/// for (key, number, box, logits) in crops {
///   var view = LabelView(number: number)
///   view.box = box
///   view.isFlipped = number % 2 == 1
///   try writer.append(dense: logits.span, height: 1, width: 1, key: key, view: view)
/// }
/// try writer.finish()
/// ```
///
/// How rows follow each other stands in `PackOptions.rowOrder`: `.source` unless given, `.image` or `.replay`.
public struct WrittenViews: Sendable {
  /// What views may come with beside their number; each is an optional HDF5 dataset of the same name.
  public enum Detail: String, CaseIterable, Sendable {
    /// The crop.
    case box = "view_box"
    /// Whether the crop was mirrored.
    case flip = "view_flip"
    /// The seed of the augmentation.
    case seed = "view_seed"
    /// The place in the run of a training.
    case replay
    /// The share of the view itself in a mix of pixels.
    case mixupShare = "mixup_lambda"
    /// The other view of that mix.
    case mixupPartner = "mixup_partner"
    /// The share of the view itself before a rectangle was drawn.
    case cutmixShare = "cutmix_lambda"
    /// The rectangle that shows the other view.
    case cutmixBox = "cutmix_box"
    /// The other view of that mix.
    case cutmixPartner = "cutmix_partner"
    /// What else was done, as JSON.
    case operations
  }

  /// What each view comes with; a box and a seed for every view, the others where there is something to say.
  public var details: Set<Detail>
  /// How the views were made of pictures: the member `views` of the metadata document (spec, section 10.2).
  public var document: JSON
  /// Height and width in pixels of a view; needed for boxes of cutmix.
  public var size: ViewFacts.Size?
  /// How the source of the labels stores boxes: those that are given have to be of this type.
  public var boxType: ViewFacts.BoxType = .float64
  /// The most bytes that the operations of a view have.
  public var operationsBytes: Int = 512
  /// The temperature that probabilities were made at; nil leaves it to the annotator document.
  public var temperature: Double?

  /// Says what views come with and how they were made.
  public init(details: Set<Detail> = [], document: JSON = .object([:])) {
    (self.details, self.document) = (details, document)
  }

  /// The HDF5 datasets that each view has a value for.
  var columns: [String] { [Layout.view] + details.map(\.rawValue) }

  /// What the packer has to know of all views.
  ///
  /// - Parameters:
  ///   - options: of the writer.
  ///   - images: what each image comes with beside its view.
  /// - Returns: the traits.
  /// - Throws: `.usage` for what is missing or contradicts itself.
  func traits(
    _ options: PackOptions,
    _ images: Set<ImageDetails.Name>
  ) throws(RelabelError) -> ViewTraits {
    func require(_ condition: Bool, _ message: String) throws(RelabelError) {
      if !condition { throw RelabelError(.usage, message) }
    }
    do {
      _ = try MetadataDocument(annotator: nil, classes: nil, views: document)
    } catch {
      throw RelabelError(.usage, "the document of the views can't be stored: \(error.message)")
    }
    let order = options.rowOrder ?? .source
    try require(
      order == .source || order.isOfViews,
      "a writer takes views as they come: 'rowOrder' is .source, .image or .replay"
    )
    try require(
      order != .replay || details.contains(.replay),
      "'rowOrder' is .replay: name the detail '.replay', which has epoch, batch and slot of every view"
    )
    let sides = 1...Int(Int32.max)
    try require(
      size.map { sides.contains($0.height) && sides.contains($0.width) } ?? true,
      "'size' of the views is not a height and a width in pixels"
    )
    try require(
      size != nil || !details.contains(.cutmixBox),
      "'size' of the views is missing, in whose pixels boxes of cutmix are"
    )
    try require(
      boxType != .pixels || !details.contains(.box) || images.contains(.imageSize),
      "boxes were whole pixels of the picture: make the writer with the detail '.imageSize'"
    )
    try require(
      (1...Layout.maximumOperationsBytes).contains(operationsBytes),
      "'operationsBytes' is \(operationsBytes); it is 1 to \(Layout.maximumOperationsBytes)"
    )
    try require(
      temperature.map { $0 > 0 && $0.isFinite } ?? true,
      "'temperature' of the views is not a positive number"
    )
    let facts = ViewFacts(
      size: size,
      boxType: details.contains(.box) ? boxType : nil,
      operationsBytes: details.contains(.operations) ? operationsBytes : 0
    )
    var traits = ViewTraits(facts: facts, rowOrder: order, document: document)
    traits.temperature = temperature
    if order == .replay { traits.rowsTogether = document["batch_size"]?.count }
    return traits
  }
}
