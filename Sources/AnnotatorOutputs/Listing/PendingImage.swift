public import Relabel

/// One image of the input, not loaded yet.
public struct PendingImage: Sendable {
  /// The join key: the path below the input root without its extension.
  public let key: String
  /// The place in the listing, or -1 for an image that the image list doesn't name.
  public internal(set) var imageIndex: Int64
  var entry: Entry
  /// Its values of the optional datasets that the source's traits name, in their order.
  package var facts: [[UInt8]] = []

  /// Where the labels come from: `dir/a.pt`, `maps.tar:dir/a.pt` or `batch.npz[12]`.
  public var source: String { entry.place.description(key: key) }

  /// True when there is no map to load, whatever is tried.
  package var isFailing: Bool { entry.isFailing }

  /// How many bytes of input the image takes; 0 when that is not known.
  public var byteCount: Int { entry.payload.byteCount }

  /// Reads and decodes the labels of the image.
  ///
  /// May be called from any thread, and more than once.
  ///
  /// - Throws: `.invalidInput`, `.unsafeInput`, `.usage` (a top-k that the input doesn't have) or
  ///   `.io`, located with the source and the key.
  public func load() throws(RelabelError) -> LabelMap { try load(wantsDense: false).map }

  /// As above, with what else the input holds of the image.
  package func load(wantsDense: Bool) throws(RelabelError) -> LoadedMap {
    do throws(RelabelError) {
      switch entry.payload {
      case .failure(let error):
        throw error
      case .map(let description, let region):
        return try description.load(region, wantsDense: wantsDense) { source }
      }
    } catch {
      throw error.located(Location(file: source, key: key))
    }
  }
}

/// A map, and what its input holds beside it.
package struct LoadedMap {
  /// The best classes of each cell.
  package let map: LabelMap
  /// The scores of all classes, where they are at hand and wanted.
  package var dense: DenseMap?
  /// The logarithm of the sum of exp(score) over all classes, for each cell: where the options ask for it and
  /// the input has all scores.
  package var logNormalizer: [Float]?
  /// True where the input has the scores of all classes.
  package var isFromAllClasses: Bool = false

  init(_ map: LabelMap) { self.map = map }
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

/// An image found in the input, before it has an index.
struct Entry: Sendable {
  let place: Place
  let payload: Payload

  /// Classes of a dense map.
  var denseClasses: Int? { payload.traits.denseClasses }

  /// What the source says of the image beside its map.
  func facts() throws(RelabelError) -> [[UInt8]] {
    guard case .map(let description, let region) = payload else { return [] }
    return try description.facts(region)
  }

  /// True when loading throws whatever happens.
  var isFailing: Bool {
    if case .failure = payload { return true }
    return false
  }

  /// An entry that can't be loaded.
  static func failing(_ error: RelabelError, at place: Place) -> Entry {
    Entry(place: place, payload: .failure(error))
  }
}
