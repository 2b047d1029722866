import Relabel
import RelabelVerification

/// What the rows of views have to do with each other, as it crosses from a helper process.
struct SurveyedView: Hashable, Sendable {
  /// The number of the view within its image, −1 where it is lost.
  let number: Int32
  /// Nil for a view in no batch.
  let batch: ViewBatch?
  /// The place in the batch.
  let slot: Int32
  /// The two ways of mixing, as far as the shard has them.
  let mixes: [Mix]

  /// One way of mixing.
  struct Mix: Hashable, Sendable {
    /// The image index of the other view, −1 where it is not known.
    let image: Int64
    /// Its slot, −1 where it is not known.
    let slot: Int64
    /// A digest of share and rectangle, which both views have alike.
    let digest: Int64
  }

  /// Reads them of one shard.
  struct Reader {
    private var view: RowCursor
    private var replay: RowCursor?
    private var mixes: [(partner: RowCursor, others: [RowCursor])] = []

    /// Nil for a shard of images.
    init?(_ file: ShardFile) {
      let columns = Dictionary(uniqueKeysWithValues: file.optional)
      guard file.header.views != nil, let view = columns[Layout.view] else { return nil }
      self.view = RowCursor(view)
      replay = columns[Layout.replay].map(RowCursor.init)
      for (partner, others) in [
        (Layout.mixupPartner, [Layout.mixupLambda]),
        (Layout.cutmixPartner, [Layout.cutmixLambda, Layout.cutmixBox]),
      ] {
        guard let column = columns[partner] else { continue }
        let cursors = others.compactMap { columns[$0].map(RowCursor.init) }
        mixes.append((RowCursor(column), cursors))
      }
    }

    /// What a row says; what can't be read is a loss of the row, and others report it.
    mutating func view(_ row: Int) -> SurveyedView {
      var found: [Mix] = []
      for place in mixes.indices {
        let partner = Self.numbers(&mixes[place].partner, row, Int64.self) ?? [-1, -1]
        var bytes: [UInt8] = []
        for other in mixes[place].others.indices {
          bytes += Self.numbers(&mixes[place].others[other], row, UInt8.self) ?? []
        }
        // As many bits as every JSON number has.
        let digest = Int64(KeyHash.of(bytes) >> 12)
        found.append(Mix(image: partner[0], slot: partner[1], digest: digest))
      }
      var triple: [Int32]?
      if var cursor = replay.take() {
        triple = Self.numbers(&cursor, row, Int32.self)
        replay = cursor
      }
      let isInBatch = triple?.allSatisfy { $0 >= 0 } ?? false
      return SurveyedView(
        number: Self.numbers(&view, row, Int32.self)?[0] ?? -1,
        batch: isInBatch ? triple.map { ViewBatch(epoch: $0[0], number: $0[1]) } : nil,
        slot: isInBatch ? triple?[2] ?? -1 : -1,
        mixes: found
      )
    }

    private static func numbers<Number: FixedWidthInteger>(
      _ cursor: inout RowCursor,
      _ row: Int,
      _ type: Number.Type
    ) -> [Number]? {
      guard case .success(let bytes) = cursor.row(row) else { return nil }
      return ViewValues.numbers(bytes, type)
    }
  }
}

extension SurveyedView {
  var json: JSON {
    let numbers = [number, batch?.epoch ?? -1, batch?.number ?? -1, slot].map(Int64.init)
    let others = mixes.flatMap { [$0.image, $0.slot, $0.digest] }
    return .array((numbers + others).map(JSON.integer))
  }

  init?(_ json: JSON) {
    guard let numbers = json.array?.map(\.integer), [4, 7, 10].contains(numbers.count) else {
      return nil
    }
    let words = numbers[..<4].compactMap { $0.flatMap(Int32.init(exactly:)) }
    let others = numbers[4...].compactMap(\.self)
    guard words.count == 4, others.count == numbers.count - 4 else { return nil }
    mixes = stride(from: 0, to: others.count, by: 3).map {
      Mix(image: others[$0], slot: others[$0 + 1], digest: others[$0 + 2])
    }
    (number, slot) = (words[0], words[3])
    batch = words[1] < 0 ? nil : ViewBatch(epoch: words[1], number: words[2])
  }
}
