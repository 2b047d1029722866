import AnnotatorOutputs
public import Relabel

/// Writes label maps, image by image, into a dataset that is verified and complete once it is finished.
///
/// ```swift
/// var options = PackOptions(output: folder)
/// options.numClasses = 1000
/// options.scoreKind = .logit
/// let writer = try DatasetWriter(options)
/// for (key, scores) in annotated {
///   try writer.append(dense: scores.span, height: 15, width: 15, key: key)
/// }
/// try writer.finish()
/// ```
///
/// Rows are views of images, such as crops, where the writer is made with `WrittenViews`.
///
/// Bytes, refusals and verification are those of `relabel-pack --row-order source`. Images are encoded together, so a
/// later call may throw the error of an earlier image; the error names the image's key. A writer that goes away
/// unfinished leaves full shards and no `index.json`. Use a writer from one thread at a time; `options.jobs` threads
/// encode.
public final class DatasetWriter {
  private let options: PackOptions
  let details: Set<ImageDetails.Name>
  let views: WrittenViews?
  private let numClasses: Int
  private let folder: OutputFolder
  private var images: GivenImages
  private var build: ArrivalBuild
  private var isUsable = true

  /// A view of an image.
  public struct View: Hashable, Sendable {
    /// The key of the image.
    public let key: String
    /// The number of the view within the image.
    public let number: Int

    /// Names a view.
    public init(key: String, number: Int) { (self.key, self.number) = (key, number) }
  }

  /// The keys that an earlier run has packed, where `options.resumes`; none of them may be appended again.
  ///
  /// Empty where rows are views.
  public let finishedKeys: [String]
  /// The views that an earlier run has packed, where `options.resumes`; none of them may be appended again.
  public let finishedViews: Set<View>

  /// Claims the output folder.
  ///
  /// - Parameters:
  ///   - options: score kind and number of classes are needed, inputs are not.
  ///   - details: what every image comes with beside its map.
  ///   - views: what is said of all views, where rows are views of images; nil where rows are images.
  /// - Throws: `.usage` for options that are missing, and for a folder that holds a finished dataset, or shards
  ///   without `resumes` or `overwrites`; `.io`.
  public init(
    _ options: PackOptions,
    details: Set<ImageDetails.Name> = [],
    views: WrittenViews? = nil
  ) throws(RelabelError) {
    try options.validate()
    try options.checkResuming()
    guard options.inputs.isEmpty else {
      throw RelabelError(.usage, "a writer has no inputs; Packer packs what is in files")
    }
    guard let scoreKind = options.scoreKind else {
      throw RelabelError(.usage, "please say in 'scoreKind' what the scores are")
    }
    guard let numClasses = options.numClasses ?? options.classes?.entries.count else {
      throw RelabelError(.usage, "please say in 'numClasses' how many classes there are")
    }
    let viewTraits = try Self.traits(of: views, options, details)
    let folder = try OutputFolder.claim(options.output, name: options.name)
    if !options.overwrites { try folder.refuseFinishedDataset() }
    if !options.overwrites, !options.resumes { try folder.refuseFinishedShards() }
    var traits = SourceTraits(
      scoreKind: scoreKind,
      numClasses: numClasses,
      dialect: "memory",
      columns: details.map(\.rawValue) + (views?.columns ?? [])
    )
    traits.views = viewTraits
    var build = ArrivalBuild(options, traits)
    var inputOptions = InputOptions(
      // Factors keep all classes; of the best ones only the first is looked at.
      topK: options.factors == nil ? options.topK : 1,
      numClasses: numClasses,
      scoreKind: scoreKind,
      imageList: options.imageList,
      spoolDirectory: options.output
    )
    inputOptions.keepsLogNormalizer = options.logNormalizer
    inputOptions.centres = options.centres
    inputOptions.keepsDense = options.factors != nil
    var images = try GivenImages(
      inputOptions,
      viewColumns: views == nil ? nil : traits.columns
    )
    var finishedKeys: [String] = []
    var finishedViews: Set<View> = []
    if options.resumes {
      try build.keepShards(folder) { rows throws(RelabelError) in
        try images.note(rows)
        for row in rows.rows {
          if let number = row.view {
            finishedViews.insert(View(key: row.key, number: Int(number)))
          } else {
            finishedKeys.append(row.key)
          }
        }
      }
    }
    self.options = options
    self.details = details
    self.views = views
    self.numClasses = numClasses
    self.folder = folder
    self.images = images
    self.build = build
    self.finishedKeys = finishedKeys
    self.finishedViews = finishedViews
  }

  /// Appends an image with the label map that it has.
  ///
  /// - Parameters:
  ///   - map: the map; what of the picture it covers is stored where the writer has the detail `.mapExtent`.
  ///   - key: the path of the image below the source's root, without extension.
  ///   - view: what the annotator saw of it, where rows are views.
  ///   - details: what else is known of it.
  /// - Throws: `.invalidInput` or `.unsafeInput` naming the key and the cell, of this image or one before; `.usage`,
  ///   `.io`.
  public func append(
    _ map: LabelMap,
    key: String,
    view: LabelView? = nil,
    details: ImageDetails = ImageDetails()
  ) throws(RelabelError) {
    var known = details
    if self.details.contains(.mapExtent) {
      known.mapExtent = known.mapExtent ?? map.extent
    } else if map.extent != .whole {
      throw RelabelError(
        .usage,
        "the map covers a part of its picture; make the writer with the detail '.mapExtent'",
        at: Location(key: key)
      )
    }
    let facts = try facts(known, view, cells: map.shape.cells, key)
    try add(images.admit(map, key, facts))
  }

  /// Appends an image with the scores of all classes, of which the best are kept, or factors of all (`options.factors`).
  ///
  /// - Parameters:
  ///   - scores: scores in the order [class, y, x].
  ///   - height: rows of the grid.
  ///   - width: columns of the grid.
  ///   - key: the path of the image below the source's root, without extension.
  ///   - view: what the annotator saw of it, where rows are views.
  ///   - details: what else is known of it.
  /// - Throws: as above.
  public func append(
    dense scores: Span<Float>,
    height: Int,
    width: Int,
    key: String,
    view: LabelView? = nil,
    details: ImageDetails = ImageDetails()
  ) throws(RelabelError) {
    let facts = try facts(details, view, cells: height * width, key)
    try add(images.admit(dense: scores, shape: [numClasses, height, width], key, facts))
  }

  /// Packs what is left, and publishes the dataset; `index.json` appears last.
  ///
  /// - Returns: what was written, and what it did to training targets.
  /// - Throws: as `append`, and `.invalidInput` when there is no image.
  @discardableResult
  public func finish() throws(RelabelError) -> PackSummary {
    try checkUsable()
    isUsable = false
    let tally = InputTally(
      unmatchedListLines: images.unmatchedListLines,
      exclusions: options.exclusions
    )
    return try build.finish(folder).publish(tally, named: options.name, folder)
  }

  private func add(_ image: PendingImage) throws(RelabelError) {
    try checkUsable()
    do {
      _ = try build.add(image, folder)
    } catch {
      // Some of the images that came with it are in the shard, some are not.
      isUsable = false
      throw error
    }
  }

  private func checkUsable() throws(RelabelError) {
    if isUsable { return }
    throw RelabelError(
      .usage,
      "the writer has finished or failed; a new writer with 'resumes' goes on after its full shards",
      at: Location(file: options.output)
    )
  }
}
