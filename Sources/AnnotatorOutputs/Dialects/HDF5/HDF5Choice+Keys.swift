import Relabel

extension HDF5Choice {
  /// The axis of images of an array of scores; nil for one that is a map of one image.
  static func imageAxis(_ array: ForeignArray, isSparse: Bool, _ options: InputOptions) -> Int? {
    if let axes = options.axes { return axes.axes.firstIndex(of: .n) }
    return array.shape.count == 4 || (array.shape.count == 2 && !isSparse) ? 0 : nil
  }

  /// How many images an array of scores is of; nil for one that is a map of one image.
  static func rows(_ array: ForeignArray, _ ids: Int?, _ options: InputOptions) -> Int? {
    guard let axis = imageAxis(array, isSparse: ids != nil, options),
      array.shape.indices.contains(axis)
    else { return nil }
    return array.shape[axis]
  }

  /// The array of keys, where there is one: the one that the user names, else one called `keys`, else the only one of
  /// as many texts as there are images.
  static func keys(
    _ listing: HDF5Listing,
    rows: Int?,
    _ options: InputOptions
  ) throws(RelabelError) -> Int? {
    let named = options.arrays?.keys
    if let place = listing.place(of: named ?? "keys") {
      let array = listing[place]
      if let failure = array.failure { throw failure }
      guard array.isTexts else {
        throw RelabelError(
          .invalidInput,
          "keys are texts along one axis, and \(array.words) is not",
          at: Location(dataset: array.path)
        )
      }
      return place
    }
    if let named {
      throw RelabelError(
        .usage,
        "--array: there is no array '\(named)' in the file; it has \(listing.words(0..<listing.count))"
      )
    }
    // A list of the images gives the rows their keys, and needs none of the file's.
    guard let rows, options.imageList == nil else { return nil }
    let texts = listing.places { $0.isTexts && $0.shape == [rows] }
    guard texts.count < 2 else {
      throw RelabelError(
        .usage,
        "the file has \(texts.count) arrays that may be keys: \(listing.words(texts)); --array keys=PATH says which"
      )
    }
    return texts.first
  }
}
