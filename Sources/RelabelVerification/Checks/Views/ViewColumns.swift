internal import Relabel

/// The datasets of views of one shard, row by row, as far as they can be read.
///
/// Takes up to 100 bytes a row. What can't be read reads as "not known": other checks report it.
struct ViewColumns {
  let view: [Int32]
  /// Empty without the dataset.
  let replay: [ViewPlace]
  let mixes: [ViewMix]

  init(_ file: ShardFile) {
    let reader = Reader(file: file)
    view = reader.numbers(Layout.view, Int32.self) ?? []
    let triples = reader.numbers(Layout.replay, Int32.self) ?? []
    replay = stride(from: 0, to: triples.count, by: 3).map {
      ViewPlace(epoch: triples[$0], batch: triples[$0 + 1], slot: triples[$0 + 2])
    }
    mixes = [
      ViewMix(reader, "mixup", Layout.mixupLambda, Layout.mixupPartner, box: nil),
      ViewMix(reader, "cutmix", Layout.cutmixLambda, Layout.cutmixPartner, box: Layout.cutmixBox),
    ]
  }

  /// Reads whole columns.
  struct Reader {
    let file: ShardFile

    /// All numbers of a dataset, −1 where a chunk can't be read; nil without the dataset.
    func numbers<Number: FixedWidthInteger>(_ name: String, _: Number.Type) -> [Number]? {
      guard let column = file.optional.first(where: { $0.name == name })?.column else { return nil }
      let check = ColumnCheck(name, column)
      var unread = Tally()
      var numbers: [Number] = []
      for chunk in 0..<column.chunks {
        if let bytes = check.bytes(ofChunk: chunk, &unread) {
          numbers += ViewValues.numbers(bytes, Number.self)
        } else {
          let rows = min(column.rowsPerChunk, column.rows - chunk * column.rowsPerChunk)
          let each = column.rowBytes / MemoryLayout<Number>.size
          numbers += [Number](repeating: ~0, count: rows * each)
        }
      }
      return numbers
    }
  }
}

/// Where a view stands in the replay of a training.
struct ViewPlace: Hashable, Comparable {
  let epoch: Int32
  let batch: Int32
  let slot: Int32

  /// False for a view that is in no batch.
  var isThere: Bool { epoch >= 0 && batch >= 0 && slot >= 0 }

  /// Epoch and batch as one number.
  var batchWord: UInt64 {
    UInt64(UInt32(bitPattern: epoch)) << 32 | UInt64(UInt32(bitPattern: batch))
  }

  static func < (one: Self, other: Self) -> Bool {
    (one.batchWord, one.slot) < (other.batchWord, other.slot)
  }
}

/// One way of mixing the views of a batch, row by row; arrays of datasets that are not there are empty.
struct ViewMix {
  let name: String
  let partnerDataset: String
  private let lambda: [UInt64]
  private let partner: [Int64]
  private let box: [Int32]

  init(
    _ reader: ViewColumns.Reader,
    _ name: String,
    _ lambda: String,
    _ partner: String,
    box: String?
  ) {
    (self.name, partnerDataset) = (name, partner)
    self.lambda = reader.numbers(lambda, UInt64.self) ?? []
    self.partner = reader.numbers(partner, Int64.self) ?? []
    self.box = box.flatMap { reader.numbers($0, Int32.self) } ?? []
  }

  /// True when some row names a partner.
  var hasPartners: Bool { partner.contains { $0 >= 0 } }

  /// The partner of a row: its image and slot, each −1 where it is not known.
  func partner(_ row: Int) -> (image: Int64, slot: Int64) {
    partner.isEmpty ? (-1, -1) : (partner[2 * row], partner[2 * row + 1])
  }

  /// What is not the same in two rows, or nil.
  func difference(_ row: Int, _ other: Int) -> String? {
    if !lambda.isEmpty, lambda[row] != lambda[other] { return "share" }
    if !box.isEmpty, box[4 * row..<4 * row + 4] != box[4 * other..<4 * other + 4] { return "box" }
    return nil
  }
}
