import Relabel

/// Reads the arrays that were chosen, and spools their maps.
struct HDF5Reading {
  let path: String
  let foreign: any ForeignArrays
  let listing: HDF5Listing
  let options: InputOptions

  private static let (dialect, subject) = ("HDF5 arrays", "an HDF5 file")

  /// Arrays of all images, or of one.
  func maps(
    _ scores: Int,
    _ ids: Int?,
    _ keys: Int?,
    _ spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let axis = HDF5Choice.imageAxis(listing[scores], isSparse: ids != nil, options)
    var options = options
    if axis != nil, let axes = options.axes?.axes {
      // A helper hands the images over one by one, wherever their axis is.
      options.axes = ArrayAxes([.n] + axes.filter { $0 != .n })
    }
    var arrays = SpooledArrays(options)
    if let ids {
      try located(ids) { () throws(RelabelError) in
        try arrays.takeClassIndex(try stream([ids], axis), &spool)
      }
      try located(scores) { () throws(RelabelError) in
        try arrays.takeScore(try stream([scores], axis), &spool)
      }
    } else {
      let kind = ArrayRoles.dense[String(listing.name(scores).split(separator: "/").last ?? "")]
      try located(scores) { () throws(RelabelError) in
        try arrays.takeDense(try stream([scores], axis), kind, &spool)
      }
    }
    if let keys {
      try located(keys) { () throws(RelabelError) in
        let array = listing[keys]
        let source = try foreign.read(request([keys], nil))
        arrays.keys = try ForeignKeys(source, count: array.shape[0], &spool)
      }
    }
    let used = [scores, ids, keys].compactMap(\.self)
    return try arrays.finish(Self.dialect, evidence: evidence(used, keys), subject: Self.subject)
  }

  /// Arrays of one image each; those of one shape are read as a batch.
  func images(
    _ images: HDF5Images,
    _ spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    if let axes = options.axes, axes.axes.contains(.n) {
      throw RelabelError(
        .usage,
        "--axes '\(axes.text)' has an axis of images, and the file has an array for each image"
      )
    }
    var batches: [Form: [Int]] = [:]
    for (place, scores) in images.scores.enumerated() {
      let ids = images.ids.isEmpty ? -1 : listing.kind(images.ids[place])
      batches[Form(scores: listing.kind(scores), ids: ids), default: []].append(place)
    }
    var found: [(first: Int, maps: LazyMapCollection<Range<Int>, Payload>)] = []
    var keys = NameTable()
    for (_, places) in batches.sorted(by: { $0.value[0] < $1.value[0] }) {
      let first = keys.count
      let scores = places.map { images.scores[$0] }
      for place in scores { keys.append(images.key(place, listing)) }
      let ids = images.ids.isEmpty ? [] : places.map { images.ids[$0] }
      found.append((first, try batch(scores, ids, &spool)))
    }
    let batchesFound = found
    return FoundMaps(.keys(PathKeys(paths: keys)), count: keys.count) { row in
      let batch = batchesFound.last { $0.first <= row } ?? batchesFound[0]
      return batch.maps[row - batch.first]
    }
  }

  /// What images have in common that are read together.
  private struct Form: Hashable {
    let scores: Int
    let ids: Int
  }

  /// Images whose arrays have one form; where it can't be read, each of them fails.
  private func batch(
    _ scores: [Int],
    _ ids: [Int],
    _ spool: inout Spool
  ) throws(RelabelError) -> LazyMapCollection<Range<Int>, Payload> {
    var options = options
    options.axes = options.axes.map { ArrayAxes([.n] + $0.axes) }
    var arrays = SpooledArrays(options)
    do throws(RelabelError) {
      for place in [scores.first, ids.first].compactMap(\.self) {
        if let failure = listing[place].failure { throw failure }
      }
      if ids.isEmpty {
        let role = ArrayRoles.parts(of: listing.name(scores[0])).role
        try arrays.takeDense(try stream(scores, nil, isBatch: true), ArrayRoles.dense[role], &spool)
      } else {
        try arrays.takeClassIndex(try stream(ids, nil, isBatch: true), &spool)
        try arrays.takeScore(try stream(scores, nil, isBatch: true), &spool)
      }
      let first = listing[scores[0]]
      let evidence =
        "an array \(first.shape) of \(first.typeWords) for each image, such as '\(first.path)'"
        + (options.axes.map { ", axes \($0.text)" } ?? "")
      return try arrays.finish(Self.dialect, evidence: evidence, subject: Self.subject).payloads
    } catch {
      if [.usage, .io, .internalFault].contains(error.code) { throw error }
      let listing = listing
      return FoundMaps(.rows, count: scores.count) {
        .failure(error.located(Location(dataset: listing.name(scores[$0]))))
      }.payloads
    }
  }

  private func located(
    _ place: Int,
    _ body: () throws(RelabelError) -> Void
  ) throws(RelabelError) {
    do throws(RelabelError) { try body() } catch {
      throw error.located(Location(dataset: listing.name(place)))
    }
  }

  private func request(_ places: [Int], _ axis: Int?) -> ForeignRequest {
    var names = NameTable()
    for place in places { names.append(listing.name(place)) }
    return ForeignRequest(path: path, names: names, array: listing[places[0]], rows: axis)
  }

  private func stream(
    _ places: [Int],
    _ axis: Int?,
    isBatch: Bool = false
  ) throws(RelabelError) -> ForeignStream {
    let array = listing[places[0]]
    guard let scalar = array.scalar, !array.shape.isEmpty else {
      throw RelabelError(.invalidInput, "maps are arrays of numbers, and this is \(array.words)")
    }
    try options.axes?.check(array.shape)
    var shape = array.shape
    if let axis { shape.insert(shape.remove(at: axis), at: 0) }
    if isBatch { shape.insert(places.count, at: 0) }
    let header = try NumPyHeader(scalar, shape: shape)
    return ForeignStream(try foreign.read(request(places, axis)), header)
  }

  private func evidence(_ used: [Int], _ keys: Int?) -> String {
    let words = used.map { $0 == keys ? "keys \(listing[$0].words)" : listing[$0].words }
    let others = (0..<listing.count).filter { !used.contains($0) }
    return "arrays " + words.joined(separator: ", ")
      + (options.axes.map { ", axes \($0.text)" } ?? "")
      + (others.isEmpty ? "" : "; not read: \(listing.words(others))")
  }
}
