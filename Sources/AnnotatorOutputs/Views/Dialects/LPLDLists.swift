import Relabel

/// Lists of LPLD: SRe2L's with an index list beside them.
///
/// Source: he-y/soft-label-pruning-for-dataset-distillation at 63eee186e15e09a6889dda07805ce921c439aef4,
/// relabel_and_validate/generate_soft_label_pruning.py.
///
/// `epoch_E/batch_B.tar` as SRe2L, and `sampler_indices_epoch.json` {"E": [pictures of the batches that were written]}.
///
/// - Pruned: the last epoch has fewer batches, and pictures behind the last full batch have no labels in it. With
///   nothing pruned there is one epoch more than asked for.
/// - Of 21,000 classes the second slot is no flip but a patch that was cut out, f32 [B,7]: its centre, height and width
///   as fractions of the view, and red, green and blue from 0 to 255. Nothing is mirrored there.
struct LPLDLists: ViewDialect {
  fileprivate static let list = "sampler_indices_epoch.json"

  let names = ["lpld"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    folder.has(Self.list) ? try EpochFolders.isThere(folder) : false
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    let lists = try IndexLists(json: folder.path + Self.list)
    return try ListSource(LPLDForm(lists: lists), options) { () throws(RelabelError) in
      try EpochFolders(folder, known: [Self.list])
    }
  }
}

/// LPLD's batches.
private struct LPLDForm: BatchForm {
  let dialect = "lpld"
  let filesHoldMany = false
  let hasSwappedBoxes = false
  let lists: IndexLists

  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    var slots = try BatchSlot.sre2l(items)
    // The place of both is the same; only their types tell.
    if case .tensor(let tensor) = items[1], tensor.storage.scalar.isFloat { slots[1] = .cutout }
    return slots
  }

  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int] {
    try lists.part(place.epoch, place.start, batch.count, isLast: place.isLast)
  }

  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) {
    guard let cutout = first.cutout else { return }
    settings.columns.insert(Layout.operations)
    settings.operationsSchema = "relabel-views/lpld-cutout"
    settings.operationsBytes = 7 * 25 + 16
    settings.chain.insert("operations", at: 2)
    settings.source["cutout_type"] = .string("torch." + cutout.scalar.typeName)
  }
}
