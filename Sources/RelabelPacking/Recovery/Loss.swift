public import Relabel

/// Images of one shard that are lost for the same reason.
public struct Loss: Hashable, Sendable {
  /// One lost image.
  public struct Image: Hashable, Sendable {
    /// Its row in the damaged shard.
    public let row: Int
    /// Its key, if that can be read.
    public let key: String?
    /// Its place in the source listing, if that can be read.
    public let imageIndex: Int64?
    /// The cell that is at fault.
    public let cell: Location.Cell?
  }

  /// The damaged shard, as the dataset calls it.
  public let shard: String
  /// What is damaged.
  public let reason: String
  /// Rows of which nothing but their number is known; nil when that is not known either.
  public let rows: Range<Int>?
  /// The images, unless nothing of them can be read.
  public internal(set) var images: [Image] = []

  /// How many images were lost; nil if that is not known.
  public var count: Int? { images.isEmpty ? rows?.count : images.count }

  /// What the first of the images are called in reports: keys, else rows.
  public func names(_ limit: Int) -> [String] {
    images.isEmpty
      ? (rows ?? 0..<0).prefix(limit).map(name)
      : images.prefix(limit).map { $0.key ?? name(row: $0.row) }
  }

  private func name(row: Int) -> String { "row \(row) of \(shard)" }

  /// An entry of `index.json` for each image; a single entry if their number is not known.
  var leftOut: [DatasetIndex.LeftOut] {
    if images.isEmpty { return rows?.map { entry(name(row: $0), nil, nil) } ?? [whole] }
    return images.map { entry($0.key ?? name(row: $0.row), $0.imageIndex, $0.cell) }
  }

  /// One entry of `index.json` for all images together.
  var whole: DatasetIndex.LeftOut {
    let number = count.map { "\($0) images" } ?? "all images of the shard"
    return DatasetIndex.LeftOut(key: shard, imageIndex: nil, reason: "\(number) lost: \(reason)")
  }

  private func entry(
    _ key: String,
    _ imageIndex: Int64?,
    _ cell: Location.Cell?
  ) -> DatasetIndex.LeftOut {
    let place = cell.map { "\($0): " } ?? ""
    return DatasetIndex.LeftOut(key: key, imageIndex: imageIndex, reason: "lost: \(place)\(reason)")
  }
}

/// Losses as they are found: equal reasons of one shard are one loss.
struct LossList {
  private(set) var losses: [Loss] = []
  private var places: [Key: Int] = [:]

  private struct Key: Hashable {
    let shard: String
    let reason: String
  }

  /// Adds one image.
  mutating func add(_ image: Loss.Image, of shard: String, because reason: String) {
    let key = Key(shard: shard, reason: reason)
    let place = places[key] ?? losses.count
    if place == losses.count {
      places[key] = place
      losses.append(Loss(shard: shard, reason: reason, rows: nil))
    }
    losses[place].images.append(image)
  }

  /// The losses in the order of shards.
  func ordered(by shards: [String]) -> [Loss] {
    let byShard = Dictionary(grouping: losses, by: \.shard)
    return shards.flatMap { byShard[$0] ?? [] }
  }

  /// Adds rows of which nothing can be read.
  ///
  /// - Parameters:
  ///   - rows: which, where something still says how many there were.
  ///   - shard: what the dataset calls their shard.
  ///   - reason: what is damaged.
  mutating func add(_ rows: Range<Int>?, of shard: String, because reason: String) {
    losses.append(Loss(shard: shard, reason: reason, rows: rows))
  }
}
