internal import Relabel

/// Checks what the rows of views say of each other (rules V009, V010, V024, V028, V029, V031).
struct ViewCheck {
  private let header: ShardHeader
  private let columns: ViewColumns
  private let identities: IdentityCheck.Outcome
  /// Rows that are in a batch, in the order of the replay.
  private let inReplay: [Int]

  struct Outcome {
    var tally = Tally()
    /// A word for each row that no other view of the dataset has.
    var viewWords: [UInt64] = []
    /// Epoch and batch of each batch, ascending.
    var batches: [UInt64] = []
    /// Images that are partners of views and need not be in the same batch.
    var partners: [Int64] = []
  }

  init(_ file: ShardFile, _ identities: IdentityCheck.Outcome) {
    header = file.header
    columns = ViewColumns(file)
    self.identities = identities
    let replay = columns.replay
    inReplay = replay.indices.filter { replay[$0].isThere }.sorted {
      replay[$0] == replay[$1] ? $0 < $1 : replay[$0] < replay[$1]
    }
  }

  func check() -> Outcome {
    var outcome = Outcome()
    checkNumbers(&outcome)
    checkImages(&outcome)
    checkReplay(&outcome)
    for mix in columns.mixes where mix.hasPartners { checkPartners(mix, &outcome) }
    outcome.partners = Array(Set(outcome.partners)).sorted()
    checkOrder(&outcome)
    return outcome
  }

  /// True when every key and index could be read.
  private var knowsImages: Bool {
    identities.keyDigests.count == columns.view.count
      && identities.imageIndexes.count == columns.view.count
  }

  private func checkNumbers(_ outcome: inout Outcome) {
    guard identities.keyHashes.count == columns.view.count else { return }
    outcome.viewWords = zip(identities.keyHashes, columns.view).map(Self.word)
    guard knowsImages else { return }
    let words = zip(identities.keyDigests, columns.view).map(Self.word)
    guard Repeats.exist(in: [words]) else { return }
    var seen: [UInt64: Int] = [:]
    for (row, word) in words.enumerated() where isKnown(row) && columns.view[row] >= 0 {
      guard let earlier = seen.updateValue(row, forKey: word) else { continue }
      let message = "row \(earlier) is view \(columns.view[row]) of the same image"
      report(.v024, message, Layout.view, row, &outcome)
    }
  }

  /// No two views of one image have the same.
  private static func word(_ hash: UInt64, _ view: Int32) -> UInt64 {
    hash == 0 ? 0 : hash ^ SplitMix64.bits(Int(UInt32(bitPattern: view)), from: 0)
  }

  /// Compares keys with image indexes: each names the same image in all rows.
  private func checkImages(_ outcome: inout Outcome) {
    guard knowsImages else { return }
    var rowOfKey: [UInt64: Int] = [:]
    var rowOfIndex: [Int64: Int] = [:]
    for row in columns.view.indices where isKnown(row) {
      let (key, index) = (identities.keyDigests[row], identities.imageIndexes[row])
      if let first = rowOfKey[key] {
        let other = identities.imageIndexes[first]
        if other != index {
          let message = "the image index is \(index), but \(other) in row \(first) of the same key"
          report(.v009, message, Layout.imageIndex, row, &outcome)
        }
      } else {
        rowOfKey[key] = row
      }
      if let first = rowOfIndex[index] {
        if identities.keyDigests[first] != key, rowOfKey[key] == row {
          let message = "row \(first) has another key and the same image index \(index)"
          report(.v010, message, Layout.imageKey, row, &outcome)
        }
      } else {
        rowOfIndex[index] = row
      }
    }
  }

  private func isKnown(_ row: Int) -> Bool {
    identities.keyDigests[row] != 0 && identities.imageIndexes[row] >= 0
  }

  private func checkReplay(_ outcome: inout Outcome) {
    for (earlier, row) in zip(inReplay, inReplay.dropFirst())
    where columns.replay[earlier] == columns.replay[row] {
      let place = columns.replay[row]
      let message =
        "row \(earlier) is slot \(place.slot) of batch \(place.batch) in epoch \(place.epoch), too"
      report(.v028, message, Layout.replay, row, &outcome)
    }
    for row in inReplay where outcome.batches.last != columns.replay[row].batchWord {
      outcome.batches.append(columns.replay[row].batchWord)
    }
  }

  private func checkPartners(_ mix: ViewMix, _ outcome: inout Outcome) {
    for row in columns.view.indices {
      let (image, slot) = mix.partner(row)
      if slot < 0 {
        if image >= 0 { outcome.partners.append(image) }
        continue
      }
      if let fault = faultOfPartner(mix, row, image: image, slot: slot) {
        report(.v029, "\(mix.name): \(fault)", mix.partnerDataset, row, &outcome)
      }
    }
  }

  /// What is wrong between a row and the slot that it is mixed with, or nil.
  private func faultOfPartner(_ mix: ViewMix, _ row: Int, image: Int64, slot: Int64) -> String? {
    guard row < columns.replay.count, columns.replay[row].isThere else {
      return "slot \(slot) is named as the partner, but the view is in no batch"
    }
    let place = columns.replay[row]
    guard let number = Int32(exactly: slot),
      let other = self.row(
        at: ViewPlace(epoch: place.epoch, batch: place.batch, slot: number)
      )
    else {
      return
        "batch \(place.batch) of epoch \(place.epoch) has no slot \(slot), which is the partner's"
    }
    if image >= 0, other < identities.imageIndexes.count, knowsImages,
      identities.imageIndexes[other] != image
    {
      return "the partner is image \(image), but slot \(slot) of the batch is image "
        + "\(identities.imageIndexes[other])"
    }
    return mix.difference(row, other).map { "the \($0) is another in row \(other), the partner's" }
  }

  /// The row at a place of the replay, or nil.
  private func row(at place: ViewPlace) -> Int? {
    var (low, high) = (0, inReplay.count)
    while low < high {
      let middle = (low + high) / 2
      if columns.replay[inReplay[middle]] < place { low = middle + 1 } else { high = middle }
    }
    guard low < inReplay.count, columns.replay[inReplay[low]] == place else { return nil }
    return inReplay[low]
  }

  /// Reports the first row that is out of order.
  private func checkOrder(_ outcome: inout Outcome) {
    switch header.rowOrder {
    case .image:
      guard knowsImages else { return }
      let keys = zip(identities.imageIndexes, columns.view).map { ($0, $1) }
      guard let row = keys.indices.dropFirst().first(where: { keys[$0] < keys[$0 - 1] }) else {
        return
      }
      let message =
        "view \(keys[row].1) of image \(keys[row].0) stands behind view "
        + "\(keys[row - 1].1) of image \(keys[row - 1].0), but 'row_order' is 'image'"
      report(.v031, message, Layout.view, row, &outcome)
    case .replay:
      guard inReplay.count == columns.view.count else {
        let row = columns.replay.firstIndex { !$0.isThere } ?? 0
        report(
          .v031,
          "the row is in no batch, but 'row_order' is 'replay'",
          Layout.replay,
          row,
          &outcome
        )
        return
      }
      guard let row = zip(inReplay, 0...).first(where: { $0 != $1 })?.1 else { return }
      report(.v031, "the row is out of the order 'replay'", Layout.replay, row, &outcome)
    case .source, .shuffled: break
    }
  }

  private func report(
    _ rule: Rule,
    _ message: String,
    _ dataset: String,
    _ row: Int,
    _ outcome: inout Outcome
  ) {
    outcome.tally.add(Violation(rule, message, at: Location(dataset: dataset, row: row)))
  }
}
