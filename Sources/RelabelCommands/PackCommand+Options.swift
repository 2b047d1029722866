internal import Relabel
internal import RelabelPacking

extension PackCommand {
  /// What the user says, in the packer's words.
  ///
  /// - Throws: `.usage` for words that contradict each other, and what reading the named files throws.
  func packOptions() throws(RelabelError) -> PackOptions {
    var options = PackOptions(inputs: inputs, output: output, preset: preset)
    options.name = name
    options.topK = topK
    options.numClasses = numClasses
    options.scoreKind = scoreKind
    options.givenClassesAre = classesAre
    options.axes = axes
    options.factors = try form.settings()
    options.weighsFactors = form.maps == nil && format == .text && !progress.quiet
    options.arrays = arrays
    options.helper = Program.path
    options.isBackgroundFirst = backgroundFirst
    options.encoding = scoreEncoding
    options.maximumError = maxError
    if let cellOrder { options.cellOrder = cellOrder }
    options.rowOrder = rowOrder
    options.orientation = orientation
    if let imagesPerChunk { options.imagesPerChunk = imagesPerChunk }
    if let imagesPerShard { options.imagesPerShard = imagesPerShard }
    if let compression { options.compression = compression }
    options.keyBytes = keyBytes
    options.resumes = resume
    options.stripComponents = stripComponents
    options.dialect = dialect
    options.views = views.words
    options.jobs = threads.jobs
    options.skipsBadInput = onBadInput == .skip
    options.overwrites = overwrite
    if let classes {
      options.classes = try ClassTable(parsing: TextFile.read(classes), file: classes)
    }
    if let images { options.imageList = try TextFile.lines(images) }
    if let exclude {
      options.exclusions = try ReviewMarks(exclusions: TextFile.bytes(exclude), file: exclude)
    }
    options.pictures = pictures
    options.logNormalizer = logNormalizer
    options.centres = centre
    if let mapExtents {
      options.mapExtents = ExtentTable(file: mapExtents, bytes: try TextFile.bytes(mapExtents))
    }
    switch labels {
    case nil: break
    case "none": options.labels = LabelSource.none
    case "from-folders": options.labels = .folders
    case let file?: options.labels = .list(file: file, lines: try TextFile.lines(file))
    }
    if let annotator {
      let text = try TextFile.read(annotator)
      do throws(RelabelError) {
        let document = try JSON(parsing: Array(text.utf8))
        guard case .object = document else {
          throw RelabelError(.usage, "the annotator document is not a JSON object")
        }
        _ = try MetadataDocument(annotator: document, classes: nil)
        options.annotator = document
      } catch {
        throw RelabelError(.usage, error.message, at: Location(file: annotator))
      }
    }
    return options
  }
}
