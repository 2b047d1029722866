public import Relabel

/// One image of the input, not loaded yet.
public struct PendingImage: Sendable {
  /// The join key: the path below the input root without its extension.
  public let key: String
  /// The place in the listing, or -1 for an image that the image list doesn't name.
  public internal(set) var imageIndex: Int64
  var entry: Entry

  /// Where the labels come from: `dir/a.pt`, `maps.tar:dir/a.pt` or `batch.npz[12]`.
  public var source: String { entry.place.description(key: key) }

  /// How many bytes of input the image takes; 0 when that is not known.
  public var byteCount: Int { entry.payload.byteCount }

  /// Reads and decodes the labels of the image.
  ///
  /// May be called from any thread, and more than once.
  ///
  /// - Throws: `.invalidInput`, `.unsafeInput`, `.usage` (a top-k that the input doesn't have) or
  ///   `.io`, located with the source and the key.
  public func load() throws(RelabelError) -> LabelMap {
    do throws(RelabelError) {
      switch entry.payload {
      case .failure(let error):
        throw error
      case .torch(let region, let topK):
        let bytes = try region.read(limit: Limits.memberBytes, path: source)
        return try SparseMap.keepingBest(topK, of: ReLabelTensor.decode(bytes))
      case .dense(let region, let layout):
        let bytes = try region.read(limit: Limits.denseBytes, path: source)
        return try layout.decode(bytes)
      case .spooled(let row, let topK):
        return try SparseMap.keepingBest(topK, of: row.load())
      }
    } catch {
      throw error.located(Location(file: source, key: key))
    }
  }
}

/// The name of the place that an image comes from, in as little memory as possible: there may be
/// millions, and most names are the key with something around it.
enum Place: Sendable {
  /// A file or member whose path is the prefix, the key and the extension.
  case named(prefix: String, extension: String)
  /// A row of the batch at a path.
  case row(of: String, Int)
  /// A path that doesn't follow from the key.
  case path(String)

  func description(key: String) -> String {
    switch self {
    case .named(let prefix, let suffix): prefix + key + suffix
    case .row(let path, let row): "\(path)[\(row)]"
    case .path(let path): path
    }
  }
}

/// What has to be read for an image.
enum Payload: Sendable {
  indirect case failure(RelabelError)
  case torch(ByteRegion, topK: Int?)
  case dense(ByteRegion, DenseLayout)
  case spooled(SpooledRow, topK: Int?)

  var byteCount: Int {
    switch self {
    case .failure: 0
    case .torch(let region, _), .dense(let region, _): region.count
    case .spooled(let row, _): row.sourceBytes
    }
  }
}

/// The images of a file, made one by one: there may be millions.
typealias Entries = LazyMapCollection<Range<Int>, Entry>

/// An image found in the input, before it has an index.
struct Entry: Sendable {
  let place: Place
  let payload: Payload

  /// Classes of a dense map.
  var denseClasses: Int? {
    if case .dense(_, let layout) = payload { return layout.classes }
    if case .spooled(let row, _) = payload { return row.array.denseClasses }
    return nil
  }

  /// True when loading throws whatever happens.
  var isFailing: Bool {
    if case .failure = payload { return true }
    return false
  }

  /// True for a `.pt` file.
  var isTorch: Bool {
    if case .torch = payload { return true }
    return false
  }

  /// The score kind that the source settles.
  var scoreKind: ScoreKind? {
    switch payload {
    case .torch: .logit
    case .spooled(let row, _): row.array.scoreKind
    case .dense, .failure: nil
    }
  }

  /// An entry that can't be loaded.
  static func failing(_ error: RelabelError, at place: Place) -> Entry {
    Entry(place: place, payload: .failure(error))
  }

  /// This entry, or one that fails when its class count can't be right.
  ///
  /// - Parameters:
  ///   - given: what the user said.
  ///   - first: what the first dense map of the input has.
  /// - Returns: an entry at the same place.
  func checked(given: Int?, first: Int?) -> Entry {
    guard let found = denseClasses else { return self }
    guard let expected = given ?? first, found != expected else { return self }
    let whose =
      given == nil ? "the first map of the input \(expected)" : "not the \(expected) given"
    return .failing(
      RelabelError(.invalidInput, "the map scores \(found) classes, \(whose)"),
      at: place
    )
  }
}
