import Relabel

/// Which arrays of an HDF5 file are maps, and which are keys.
enum HDF5Choice {
  /// Arrays of all images, or of one.
  case maps(scores: Int, ids: Int?, keys: Int?)
  /// An array, or two, for each image.
  case images(HDF5Images)

  /// - Parameters:
  ///   - listing: what the file holds.
  ///   - options: what the user said.
  /// - Throws: `.usage` where the user has to choose, and what a chosen array fails with.
  init(_ listing: HDF5Listing, _ options: InputOptions) throws(RelabelError) {
    let chosen = options.arrays
    if let scores = chosen?.scores {
      self = try Self.named(scores, chosen?.ids, listing)
    } else {
      self = try Self.recognised(listing, options)
    }
    guard case .maps(let scores, let ids, _) = self else {
      guard chosen?.keys == nil else {
        throw RelabelError(
          .usage,
          "--array keys=… is for an array of many maps; the file has an array for each image, whose name is the key"
        )
      }
      return
    }
    for place in [scores, ids].compactMap(\.self) {
      if let failure = listing[place].failure { throw failure }
    }
    let keys = try Self.keys(listing, rows: Self.rows(listing[scores], ids, options), options)
    self = .maps(scores: scores, ids: ids, keys: keys)
  }

  // MARK: - As the user says

  private static func named(
    _ scores: String,
    _ ids: String?,
    _ listing: HDF5Listing
  ) throws(RelabelError) -> HDF5Choice {
    if let place = listing.place(of: scores) {
      return .maps(
        scores: place,
        ids: try ids.map { way throws(RelabelError) in try array(way, listing) },
        keys: nil
      )
    }
    guard let images = try HDF5Images(below: scores, ids, listing) else {
      throw missing(scores, listing)
    }
    return .images(images)
  }

  private static func array(_ way: String, _ listing: HDF5Listing) throws(RelabelError) -> Int {
    if let place = listing.place(of: way) { return place }
    throw missing(way, listing)
  }

  private static func missing(_ way: String, _ listing: HDF5Listing) -> RelabelError {
    RelabelError(
      .usage,
      "--array: there is no array '\(way)' in the file; it has \(listing.words(0..<listing.count))"
    )
  }

  // MARK: - As the file shows

  private static func recognised(
    _ listing: HDF5Listing,
    _ options: InputOptions
  ) throws(RelabelError) -> HDF5Choice {
    func places(_ words: some Sequence<String>) -> [Int] {
      words.compactMap { listing.place(of: $0) }
    }
    let dense = places(ArrayRoles.dense.keys.sorted())
    let (scores, ids) = (places(ArrayRoles.scores), places(ArrayRoles.ids))
    if dense.count == 1, ids.isEmpty { return .maps(scores: dense[0], ids: nil, keys: nil) }
    if dense.isEmpty, scores.count == 1, ids.count == 1 {
      return .maps(scores: scores[0], ids: ids[0], keys: nil)
    }
    if dense.isEmpty, scores.count + ids.count < 2,
      let images = try HDF5Images(named: Array(0..<listing.count), below: "", listing)
    {
      return .images(images)
    }
    return try unnamed(listing, options)
  }

  /// Arrays whose names say nothing.
  private static func unnamed(
    _ listing: HDF5Listing,
    _ options: InputOptions
  ) throws(RelabelError) -> HDF5Choice {
    let floats = listing.places(where: \.isFloat)
    if floats.count == 1 {
      let shape = listing[floats[0]].shape
      let wholes = listing.places { $0.isWhole && $0.shape == shape }
      if wholes.count < 2 { return .maps(scores: floats[0], ids: wholes.first, keys: nil) }
    }
    let faulty = listing.places { $0.fault != nil }
    guard !floats.isEmpty else {
      if let first = faulty.first, let failure = listing[first].failure { throw failure }
      throw RelabelError(
        .invalidInput,
        "the file has no array of floating numbers, which scores are; it has \(listing.words(0..<listing.count))"
      )
    }
    // What looks like a map of one image each, and nothing else.
    let axes = options.axes?.axes
    let isOfOne = axes?.contains(.n) != true
    let count = axes?.count ?? 3
    if floats.count > 1, isOfOne, floats.allSatisfy({ listing[$0].shape.count == count }),
      Set(floats.map { listing[$0].type }).count == 1
    {
      return .images(HDF5Images(below: "", scores: floats + faulty))
    }
    throw RelabelError(
      .usage,
      "the file has \(floats.count) arrays that may be scores: \(listing.words(floats)); --array PATH says which, and"
        + " --array GROUP that those of a group are an image each"
    )
  }
}
