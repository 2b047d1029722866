internal import Relabel

/// What the views of several shards say of each other (rules M007, M012).
///
/// Keeps about 50 bytes an image and 20 a batch.
struct ViewComparison {
  private struct Image {
    let index: Int64
    let hash: UInt64
    let shard: Int
    let row: Int
  }

  private var byIndex: [Int64: Image] = [:]
  private var indexOfHash: [UInt64: Image] = [:]
  private var shardOfBatch: [UInt64: Int] = [:]
  private var partners: Set<Int64> = []
  /// Rows of which only their keys tell whether one image has two indexes.
  private(set) var suspicions: [(RowWords.Row, RowWords.Row)] = []
  private var indexesOfSuspicions: [(Int64, Int64)] = []

  /// Adds what a shard holds.
  mutating func add(_ facts: ShardFacts, shard: Int, paths: [String], _ tally: inout Tally) {
    guard let views = facts.views, views.keyHashes.count == facts.imageIndexes.count else { return }
    partners.formUnion(views.partners)
    for word in views.batches {
      guard let other = shardOfBatch.updateValue(shard, forKey: word), other != shard else {
        continue
      }
      tally.add(
        Violation(
          .m012,
          "batch \(word & 0xFFFF_FFFF) of epoch \(word >> 32) is in '\(paths[other])' and in '\(paths[shard])'"
        )
      )
    }
    for (row, (index, hash)) in zip(facts.imageIndexes, views.keyHashes).enumerated()
    where hash != 0 {
      let image = Image(index: index, hash: hash, shard: shard, row: row)
      compare(image, paths, &tally)
    }
  }

  private mutating func compare(_ image: Image, _ paths: [String], _ tally: inout Tally) {
    if let first = byIndex[image.index] {
      if first.hash != image.hash, first.shard != image.shard {
        tally.add(
          Violation(
            .m007,
            "image index \(image.index) is of one image in '\(paths[first.shard])' and of another in '\(paths[image.shard])'"
          )
        )
      }
    } else {
      byIndex[image.index] = image
    }
    guard let first = indexOfHash[image.hash] else {
      indexOfHash[image.hash] = image
      return
    }
    guard first.index != image.index, first.shard != image.shard else { return }
    suspicions.append(
      (
        RowWords.Row(shard: first.shard, row: first.row),
        RowWords.Row(shard: image.shard, row: image.row)
      )
    )
    indexesOfSuspicions.append((first.index, image.index))
  }

  /// What an image with two indexes breaks, for a suspicion that its key confirmed.
  func violation(_ suspicion: Int, key: String) -> Violation {
    let (one, other) = indexesOfSuspicions[suspicion]
    return Violation(.m007, "image '\(key)' has the image indexes \(one) and \(other)")
  }

  /// Reports partners that are no image of the dataset, but for those that it names as left out.
  func finish(leftOut: Set<Int64>, _ tally: inout Tally) {
    for partner in partners.sorted() where byIndex[partner] == nil && !leftOut.contains(partner) {
      tally.add(Violation(.m012, "image \(partner) is a partner of views, but has none itself"))
    }
  }
}
