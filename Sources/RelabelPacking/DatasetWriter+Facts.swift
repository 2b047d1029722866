import AnnotatorOutputs
import Relabel

extension DatasetWriter {
  /// The stored values of an image beside its map, in the order of the layout.
  ///
  /// - Throws: `.usage` naming the key.
  func facts(
    _ details: ImageDetails,
    _ view: LabelView?,
    cells: Int,
    _ key: String
  ) throws(RelabelError) -> [[UInt8]] {
    do {
      return try details.values(self.details, cells: cells) + values(of: view)
    } catch {
      throw error.located(Location(key: key))
    }
  }

  private func values(of view: LabelView?) throws(RelabelError) -> [[UInt8]] {
    switch (view, views) {
    case (nil, nil): return []
    case (let view?, let views?): return try views.values(view)
    case (nil, _):
      throw RelabelError(
        .usage,
        "rows are views, and each has a number within its image: give 'view'"
      )
    case (_, nil):
      throw RelabelError(
        .usage,
        "the writer takes images, not views of images: make it with 'views', which say how views were made"
      )
    }
  }

  /// What is settled for all views; nil where rows are images.
  static func traits(
    of views: WrittenViews?,
    _ options: PackOptions,
    _ details: Set<ImageDetails.Name>
  ) throws(RelabelError) -> ViewTraits? {
    if let views { return try views.traits(options, details) }
    guard options.cellOrder != .source, options.rowOrder?.isOfViews != true else {
      throw RelabelError(
        .usage,
        "'cellOrder' .source, 'rowOrder' .image and .replay are for views: give 'views', or another order"
      )
    }
    return nil
  }
}
