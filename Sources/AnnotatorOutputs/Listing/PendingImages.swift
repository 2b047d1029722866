public import Relabel

/// The images of a listing, on disk but for a few bytes of each.
///
/// Callable from any thread.
public struct PendingImages: Sendable {
  /// What is written behind an image's key.
  struct Item: BitwiseCopyable, Sendable {
    var imageIndex: Int64
    var entry: EntryRecord
  }

  /// Bytes of the longest key that a shard can hold, 0 when there is none.
  public let longestKey: Int
  private let bytes: SpooledBytes
  /// Where the images lie.
  private let offsets: [Int]
  private let pool: EntryPool

  init(_ writer: consuming Writer, order: [Int]?, _ pool: EntryPool) throws(RelabelError) {
    offsets = order ?? writer.offsets
    longestKey = writer.longestKey
    bytes = try writer.bytes.finish()
    self.pool = pool
  }

  /// How many images there are.
  public var count: Int { offsets.count }

  /// The image at a place in the order of indices; those that the image list doesn't name come last.
  ///
  /// - Throws: `.io` when the temporary file can't be read.
  public subscript(place: Int) -> PendingImage {
    get throws(RelabelError) {
      // Most keys are shorter than this.
      let guess = MemoryLayout<Item>.size + 128
      var record = try bytes.read(at: offsets[place], atMost: guess)
      let count = record.withUnsafeBytes { RecordBytes.keyCount($0) }
      let whole = 4 + count + MemoryLayout<Item>.size
      if record.count < whole { record = try bytes.read(at: offsets[place], atMost: whole) }
      let item = record.withUnsafeBytes {
        $0.loadUnaligned(fromByteOffset: 4 + count, as: Item.self)
      }
      let entry = pool.entry(item.entry)
      return PendingImage(
        key: String(decoding: record[4..<4 + count], as: UTF8.self),
        imageIndex: item.imageIndex,
        entry: entry,
        facts: try entry.facts()
      )
    }
  }

  /// Some of the images.
  ///
  /// - Throws: `.io` when the temporary file can't be read.
  public func images(at places: some Sequence<Int>) throws(RelabelError) -> [PendingImage] {
    var images: [PendingImage] = []
    for place in places { images.append(try self[place]) }
    return images
  }

  /// All of the images.
  ///
  /// - Throws: `.io` when the temporary file can't be read.
  public func all() throws(RelabelError) -> [PendingImage] { try images(at: 0..<count) }
}

extension PendingImages {
  /// Writes images in any order.
  struct Writer {
    fileprivate(set) var offsets: [Int] = []
    fileprivate(set) var longestKey = 0
    fileprivate var bytes: SpooledBytes.Writer

    init(directory: String) { bytes = SpooledBytes.Writer(directory: directory) }

    var count: Int { offsets.count }

    /// Appends an image; returns where it lies.
    @discardableResult
    mutating func append(_ key: String, _ item: Item) throws(RelabelError) -> Int {
      let offset = bytes.count
      offsets.append(offset)
      let keyBytes = key.utf8.count
      if keyBytes <= ImageKey.maximumBytes { longestKey = max(longestKey, keyBytes) }
      try bytes.append { RecordBytes.append(key, item, to: &$0) }
      return offset
    }
  }
}
