import Relabel

/// Lists of LPQLD: quantised, and of 6 to 8 slots.
///
/// Source: he-y/soft-label-pruning-quantization-for-dataset-distillation at
/// 107c7a5dd91c3475cbbcfcd1f9a66f10de60e8d2, relabel_and_validate/generate_soft_label_pruning_batch.py.
///
/// `batch_N.tar`, whose numbers run on through the epochs, and `sampler_indices_batch.json` {"N": [pictures]}. Slots:
/// coords f16, flip, then rand_params where RandAugment was on, mix_index u8, lambda, box of four u8 tensors, logits f16
/// or f32, and ids i16 where only the best classes were kept.
///
/// - Two forms have 7 slots: a list in the third is rand_params, integers in the last are ids.
/// - rand_params has [operation i64 [B], draw f16 [B], level f16 or i64 [B]] for each operation, which come before the
///   crop, on the whole picture. A level is of integers where those of the whole batch are; −99 means that there is none.
///   An operation was applied where its draw is below 0.5. Their order is AutoContrast, Equalize, Invert, Rotate,
///   Posterize, Solarize, SolarizeAdd, Color, Contrast, Brightness, Sharpness, ShearX, ShearY, TranslateXRel,
///   TranslateYRel.
/// - Ids of 16 bits are negative above 32,767. No file says which epoch a batch is of: here all are of epoch 0.
struct LPQLDLists: ViewDialect {
  fileprivate static let list = "sampler_indices_batch.json"

  let names = ["lpqld"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    folder.has(Self.list) && folder.has("batch_0.tar")
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    let lists = try IndexLists(json: folder.path + Self.list)
    return try ListSource(LPQLDForm(lists: lists), options) { () throws(RelabelError) in
      try NumberedFiles(folder, "batch_", areEpochs: false, known: [Self.list])
    }
  }
}

/// LPQLD's batches.
private struct LPQLDForm: BatchForm {
  private static let table = [
    "AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "Solarize", "SolarizeAdd", "Color",
    "Contrast", "Brightness", "Sharpness", "ShearX", "ShearY", "TranslateXRel", "TranslateYRel",
  ]

  let dialect = "lpqld"
  let filesHoldMany = false
  let hasSwappedBoxes = false
  let lists: IndexLists

  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    guard (6...8).contains(items.count) else {
      throw RelabelError(.invalidInput, "the batch has \(items.count) slots; LPQLD stores 6 to 8")
    }
    var slots = BatchSlot.six
    if items[2].items != nil { slots.insert(.operations, at: 2) }
    if case .tensor(let last)? = items.last, !last.storage.scalar.isFloat { slots.append(.ids) }
    guard slots.count == items.count else {
      throw RelabelError(
        .invalidInput,
        "the batch has \(items.count) slots, but \(slots.count) follow from its third and last one"
      )
    }
    return slots
  }

  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int] {
    if place.isLast, lists.count != place.number + 1 {
      throw RelabelError(
        .invalidInput,
        "'\(lists.path)' has \(lists.count) lists, the last batch is batch \(place.number)"
      )
    }
    return try lists.part(place.number, 0, batch.count, isLast: true)
  }

  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) {
    guard !first.operations.isEmpty else { return }
    settings.columns.insert(Layout.operations)
    settings.operationsSchema = "relabel-views/lpqld"
    settings.operationsBytes = first.operations.count * 64 + 40
    settings.chain.insert("operations", at: 0)
    settings.source["operation_table"] = .array(Self.table.map(JSON.string))
  }
}
