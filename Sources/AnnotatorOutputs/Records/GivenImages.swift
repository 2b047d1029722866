package import Relabel

/// Images that a program hands over one by one, in memory.
package struct GivenImages {
  private let options: InputOptions
  private var desk: ArrivalDesk
  private var count = 0

  /// - Parameters:
  ///   - options: what the user said.
  ///   - columns: the values that views bring, where rows are views.
  /// - Throws: `.usage` for an image list that is wrong.
  package init(
    _ options: InputOptions,
    viewColumns columns: [Layout.Column]?
  ) throws(RelabelError) {
    self.options = options
    desk = try ArrivalDesk(options, viewColumns: columns)
  }

  /// Notes images that an earlier run has packed.
  ///
  /// - Throws: `.usage` where the image list is another one by now.
  package mutating func note(_ rows: PackedRows) throws(RelabelError) { try desk.note(rows) }

  /// Lines of the image list that no image has come for.
  package var unmatchedListLines: [String] { desk.unmatchedListLines }

  /// Takes a label map.
  package mutating func admit(_ map: LabelMap, _ key: String, _ facts: [[UInt8]]) -> PendingImage {
    // What it covers is one of its facts, and no business of those who look at the scores.
    var map = map
    map.extent = .whole
    let given = GivenMap(map: map, topK: options.topK)
    // What it takes in memory, for whoever waits for a number of bytes.
    let bytes = map.shape.entries * 8
    let region = ByteRegion(storage: .rows, offset: 0, count: bytes)
    return admit(key, .map(given, region), facts)
  }

  /// Takes scores of all classes, [C, H, W].
  package mutating func admit(
    dense scores: Span<Float>,
    shape: [Int],
    _ key: String,
    _ facts: [[UInt8]]
  ) -> PendingImage {
    do throws(RelabelError) {
      let layout = try DenseLayout(NumPyHeader(.float32, shape: shape), options)
      guard scores.count * 4 == layout.rowBytes else {
        throw RelabelError(.usage, "there are \(scores.count) scores for the shape \(shape)")
      }
      let bytes = scores.withUnsafeBytes { Array($0) }
      let region = ByteRegion(storage: .memory(bytes), offset: 0, count: bytes.count)
      return admit(key, .map(layout, region), facts)
    } catch {
      return admit(key, .failure(error), facts)
    }
  }

  private mutating func admit(_ key: String, _ payload: Payload, _ facts: [[UInt8]]) -> PendingImage
  {
    let entry = Entry(place: .row(of: "map", count), payload: payload)
    count += 1
    let arrival = Arrival(key: key, entry: entry, facts: facts)
    // Nothing has a digest here, so that nothing counts as a copy.
    if let image = desk.admit(arrival) { return image }
    let failing = desk.failure.map { Entry.failing($0, at: entry.place) }
    return PendingImage(key: key, imageIndex: -1, entry: failing ?? entry)
  }
}

/// A label map that a program has handed over.
private final class GivenMap: MapDescription {
  let map: LabelMap
  let topK: Int?

  init(map: LabelMap, topK: Int?) { (self.map, self.topK) = (map, topK) }

  var traits: MapTraits { MapTraits(dialect: "memory") }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    LoadedMap(try SparseMap.keepingBest(topK, of: map))
  }

  static func == (a: GivenMap, b: GivenMap) -> Bool { a === b }

  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
