import Relabel

/// A batch of views as a list of tensors holds it.
struct StoredBatch {
  /// What all batches of a run have in common.
  struct Form: Hashable {
    let slots: [BatchSlot]
    let coords: TorchScalar
    let scores: TorchScalar
    let ids: TorchScalar?
    let entries: Int
    let operations: Int
    var mix = Mix.none
    /// What the partners' slots and the four sides of a box are stored as, for an export.
    var mixIndexType: String?
    var boxType: String?
  }

  enum Mix: String { case none, mixup, cutmix }

  /// One operation of the whole batch.
  struct Operation {
    let index: NumberTable
    let draw: NumberTable
    let level: NumberTable
  }

  let form: Form
  /// Views.
  let count: Int
  let coords: NumberTable
  let flip: NumberTable?
  let cutout: NumberTable?
  let operations: [Operation]
  let scores: NumberTable
  let ids: NumberTable?
  let pictures: NumberTable?
  let permutation: NumberTable?
  /// The slots of the partners, the lambda and the box; nil without mixing.
  let partners: NumberTable?
  let lambda: Double
  let box: [Int]?
  /// The module of NumPy that the batch names.
  let module: NumPyModule?

  /// Reads a list whose slots are known.
  ///
  /// - Throws: `.invalidInput` or `.unsafeInput` for a list that holds something else.
  init(
    _ items: [ListValue],
    _ slots: [BatchSlot],
    _ file: ListFile
  ) throws(RelabelError) {
    let reader = BatchReader(items, slots, file)
    coords = try reader.floats(.coords, [nil, 4])
    count = coords.shape[0]
    guard count > 0 else { throw RelabelError(.invalidInput, "the batch has no views") }
    let rows: [Int?] = [count]
    flip = slots.contains(.flip) ? try reader.table(.flip, rows, [.uint8]) : nil
    cutout = slots.contains(.cutout) ? try reader.floats(.cutout, [count, 7]) : nil
    operations = slots.contains(.operations) ? try reader.operations(count) : []
    partners = try reader.integersOrNone(.mixIndex, rows)
    let lambda = try reader.lambda()
    let (box, boxType, module) = try reader.box()
    scores = try reader.floats(.scores, [count, nil])
    ids = slots.contains(.ids) ? try reader.integers(.ids, [count, scores.rowCount]) : nil
    pictures = slots.contains(.pictures) ? try reader.integers(.pictures, rows) : nil
    permutation =
      slots.contains(.permutation) ? try reader.integers(.permutation, [count, 2, 2]) : nil
    guard scores.rowCount > 0 else { throw RelabelError(.invalidInput, "the views have no scores") }

    var form = Form(
      slots: slots,
      coords: coords.scalar,
      scores: scores.scalar,
      ids: ids?.scalar,
      entries: scores.rowCount,
      operations: operations.count
    )
    switch (partners, lambda, box) {
    case (nil, nil, nil): break
    case (.some(let partners), .some(let lambda), _):
      form.mix = box == nil ? .mixup : .cutmix
      form.mixIndexType = partners.scalar.typeName
      form.boxType = boxType
      try Self.check(partners, count, lambda)
    default:
      throw RelabelError(
        .invalidInput,
        "of partners, lambda and box only some are there; a batch has none of them, or the first two or all"
      )
    }
    (self.lambda, self.box, self.module, self.form) = (lambda ?? .nan, box, module, form)
  }

  private static func check(
    _ partners: NumberTable,
    _ count: Int,
    _ lambda: Double
  ) throws(RelabelError) {
    for slot in 0..<count {
      let partner = partners.number(slot)
      guard partner >= 0, partner < Double(count) else {
        throw RelabelError(
          .invalidInput,
          "view \(slot) is mixed with slot \(Int(partner)) of a batch of \(count)"
        )
      }
    }
    guard lambda >= 0, lambda <= 1 else {
      throw RelabelError(.invalidInput, "the lambda of the batch is \(lambda), outside 0 … 1")
    }
  }

  /// The class ids of a row, where there are any.
  func ids(ofRow row: Int) throws(RelabelError) -> [UInt32]? {
    guard let ids else { return nil }
    var numbers: [UInt32] = []
    numbers.reserveCapacity(ids.rowCount)
    for number in ids.row(row) {
      // 16 bits wrap above 32,767, and nothing else is negative.
      let whole = number < 0 && ids.scalar == .int16 ? number + 65_536 : number
      guard let id = UInt32(exactly: whole) else {
        throw RelabelError(.invalidInput, "\(number) is not a class id")
      }
      numbers.append(id)
    }
    return numbers
  }

  /// The mix of a row; `pictures` are those of the batch's slots.
  func mix(ofRow row: Int, _ pictures: [Int]) -> ViewMix? {
    guard form.mix != .none, let partners else { return nil }
    let slot = Int(partners.number(row))
    return ViewMix(lambda: lambda, partner: pictures[slot], slot: slot, box: box)
  }
}
