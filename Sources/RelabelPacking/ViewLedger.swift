import AnnotatorOutputs
import Relabel
import RelabelVerification

/// What views of a dataset say of each other across its shards, so that nothing is published that rule M012 forbids.
///
/// Takes about 20 bytes a batch, a bit an image, and what a key takes for each partner that is still to come.
struct ViewLedger {
  private let finder: ViewBatch.Finder?
  private let partnerPlaces: [Int]
  private var shardOfBatch: [ViewBatch: Int] = [:]
  /// Images that have come, 64 to a word.
  private var images: [Int64: UInt64] = [:]
  /// The key of the first view that is mixed with an image that has not come.
  private var awaited: [Int64: String] = [:]

  /// - Parameter columns: what views bring.
  init(_ columns: [Layout.Column]) {
    finder = ViewBatch.Finder(columns)
    partnerPlaces = columns.indices.filter {
      [Layout.mixupPartner, Layout.cutmixPartner].contains(columns[$0].name)
    }
  }

  /// The batch of a view, or nil where it belongs to none.
  func batch(of view: PendingImage) -> ViewBatch? { finder?.batch(of: view) }

  /// Takes a view that goes into a shard, or is left out there.
  ///
  /// - Throws: `.invalidInput` for a view whose batch lies in an earlier shard.
  mutating func add(_ view: PendingImage, shard: Int) throws(RelabelError) {
    if let batch = batch(of: view) {
      let first = shardOfBatch[batch] ?? shard
      shardOfBatch[batch] = first
      guard first == shard else {
        throw RelabelError(
          .invalidInput,
          "batch \(batch.number) of epoch \(batch.epoch) began in an earlier shard (number \(first)): the views of a"
            + " batch have to follow each other, or to fit into one shard",
          at: Location(dataset: Layout.replay, key: view.key)
        )
      }
    }
    guard !partnerPlaces.isEmpty else { return }
    add(image: view.imageIndex)
    for place in partnerPlaces where place < view.facts.count {
      let partner = ViewValues.numbers(view.facts[place][...], Int64.self)
      // Where the slot is known, the shard itself is checked for it.
      if partner[1] < 0 { expect(partner[0], view.key) }
    }
  }

  /// Takes a view that has no row: others may be mixed with its image.
  mutating func add(leftOut view: PendingImage) {
    if !partnerPlaces.isEmpty { add(image: view.imageIndex) }
  }

  /// Takes over what a shard of an earlier run says.
  mutating func add(_ shard: DatasetBuild.KeptShard, _ rows: PackedRows, number: Int) {
    guard let views = shard.views else { return }
    for word in views.batches {
      shardOfBatch[
        ViewBatch(
          epoch: Int32(truncatingIfNeeded: word >> 32),
          number: Int32(truncatingIfNeeded: word)
        )
      ] = number
    }
    guard !partnerPlaces.isEmpty else { return }
    for row in rows.rows { add(image: row.imageIndex) }
    for partner in views.partners { expect(partner, rows.rows.first?.key ?? "") }
  }

  /// Refuses partners that are no image of the dataset.
  ///
  /// - Throws: `.invalidInput` naming the image and the first view that is mixed with it.
  func checkPartners() throws(RelabelError) {
    guard let missing = awaited.keys.min() else { return }
    throw RelabelError(
      .invalidInput,
      "the view is mixed with image \(missing), which no view is of: add its views, or give −1 where nobody knows it",
      at: Location(key: awaited[missing])
    )
  }

  private mutating func add(image: Int64) {
    guard image >= 0 else { return }
    images[image >> 6, default: 0] |= 1 << UInt64(image & 63)
    if !awaited.isEmpty { awaited[image] = nil }
  }

  private mutating func expect(_ image: Int64, _ key: String) {
    guard image >= 0, (images[image >> 6] ?? 0) >> UInt64(image & 63) & 1 == 0 else { return }
    if awaited[image] == nil { awaited[image] = key }
  }
}
