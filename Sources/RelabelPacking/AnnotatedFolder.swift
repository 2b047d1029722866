import AnnotatorOutputs
import Relabel
import RelabelVerification

/// What the command wrote; the folder goes when this does.
struct AnnotatedFolder: FreshMaps {
  private let folder: ScratchFolder
  private let images: [ImageKey.Exact: PendingImage]

  init(
    _ folder: ScratchFolder,
    _ output: String,
    _ request: AnnotationRequest
  ) throws(RelabelError) {
    self.folder = folder
    let options = InputOptions(
      topK: request.topK,
      numClasses: request.numClasses,
      scoreKind: request.scoreKind,
      spoolDirectory: folder.path
    )
    let found = try AnnotatorOutput.open([output], options: options)
    guard case .listed(let images) = found.images else {
      throw RelabelError(.internalFault, "a folder is no stream")
    }
    self.images = Dictionary(try images.all().map { (ImageKey.Exact($0.key), $0) }) { first, _ in
      first
    }
  }

  func map(forKey key: String) throws(RelabelError) -> LabelMap? {
    guard let image = images[ImageKey.Exact(key)] else { return nil }
    do {
      return try image.load()
    } catch {
      throw RelabelError(.io, "the annotator's output can't be read: \(error)")
    }
  }
}
