import AnnotatorOutputs
package import Relabel
package import RelabelVerification

/// Scores of all classes in files that the packer reads, for the verifier to compare with.
package struct DenseInputs: DenseSource {
  private let paths: [String]

  /// Names folders, tars or files with dense logits.
  package init(_ paths: [String]) { self.paths = paths }

  package func open(
    _ keys: Set<ImageKey.Exact>,
    numClasses: Int
  ) throws(RelabelError) -> any DenseMaps {
    let spool = try ScratchFolder()
    var options = InputOptions(
      // Of the best ones only the first is looked at.
      topK: 1,
      numClasses: numClasses,
      scoreKind: .logit,
      spoolDirectory: spool.path
    )
    options.keepsDense = true
    let found = try AnnotatorOutput.open(paths, options: options)
    guard case .listed(let images) = found.images else {
      throw RelabelError(
        .usage,
        "what comes through a pipe or a compressed archive comes only once: unpack it to compare with it",
        at: Location(file: paths.first)
      )
    }
    var chosen: [ImageKey.Exact: PendingImage] = [:]
    for place in 0..<images.count {
      let image = try images[place]
      let key = ImageKey.Exact(image.key)
      if keys.contains(key) { chosen[key] = image }
    }
    return Found(spool: spool, images: chosen)
  }

  /// What was found; the folder goes when this does.
  private struct Found: DenseMaps {
    let spool: ScratchFolder
    let images: [ImageKey.Exact: PendingImage]

    func map(forKey key: String) throws(RelabelError) -> DenseMap? {
      try images[ImageKey.Exact(key)]?.load(wantsDense: true).dense
    }
  }
}
