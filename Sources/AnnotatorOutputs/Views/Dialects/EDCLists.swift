import Relabel

/// Lists of EDC.
///
/// Source: shaoshitong/EDC at 80116a79ebaeae14e0f9d7517c5b193efa26c059,
/// Branch_full_ImageNet_1k/relabel/generate_soft_label_with_db.py.
///
/// `epoch_E/batch_B.tar` holds SRe2L's six slots, the pictures i64 [B], and a permutation of patches i32 [B,2,2].
///
/// - Crops are cut from tensors [C,H,W] by code for PIL pictures: tops and heights are divided by the width, lefts and
///   widths by the height. The reader multiplies in the same way and rounds, so that whole pixels follow, and true
///   fractions from the picture's size.
/// - The permutation is all zeros, which is no permutation: the writer turns shuffling off.
struct EDCLists: ViewDialect {
  let names = ["edc"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    guard try EpochFolders.isThere(folder) else { return false }
    return try EpochFolders.firstSlots(folder) == 8
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    try ListSource(
      IndexedForm("edc", BatchSlot.six + [.pictures, .permutation], areSwapped: true),
      options
    ) {
      () throws(RelabelError) in try EpochFolders(folder)
    }
  }
}

/// Lists of G-VBSM: EDC's without the permutation, and with boxes as SRe2L has them.
///
/// Source: shaoshitong/G_VBSM_Dataset_Condensation at eb1d690e85ca7d260061d2ef142295b7b95cefa7,
/// Branch_full_ImageNet_1k/relabel/generate_soft_label_with_db.py and utils_fkd.py: crops are cut from PIL pictures, so
/// that tops are fractions of the height. No file of it was at hand.
struct GVBSMLists: ViewDialect {
  let names = ["g-vbsm", "gvbsm"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    guard try EpochFolders.isThere(folder) else { return false }
    return try EpochFolders.firstSlots(folder) == 7
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    try ListSource(IndexedForm("g-vbsm", BatchSlot.six + [.pictures], areSwapped: false), options) {
      () throws(RelabelError) in try EpochFolders(folder)
    }
  }
}

/// Batches that name their pictures.
private struct IndexedForm: BatchForm {
  let dialect: String
  let filesHoldMany = false
  let hasSwappedBoxes: Bool
  private let all: [BatchSlot]

  init(_ dialect: String, _ slots: [BatchSlot], areSwapped: Bool) {
    (self.dialect, all, hasSwappedBoxes) = (dialect, slots, areSwapped)
  }

  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    guard items.count == all.count else {
      throw RelabelError(
        .invalidInput,
        "the batch has \(items.count) slots; lists of the dialect '\(dialect)' have \(all.count)"
      )
    }
    return all
  }

  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int] {
    guard let numbers = batch.pictures else { return [] }
    var pictures: [Int] = []
    for slot in 0..<batch.count {
      guard let picture = Int32(exactly: numbers.number(slot)), picture >= 0 else {
        throw RelabelError(.invalidInput, "view \(slot) is of picture \(numbers.number(slot))")
      }
      pictures.append(Int(picture))
    }
    return pictures
  }

  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) {
    guard hasSwappedBoxes else { return }
    settings.boxType = .pixels
    settings.source["coords"] = .string("top/W, left/H, height/W, width/H in float32")
    guard let permutation = first.permutation else { return }
    settings.columns.insert(Layout.operations)
    settings.operationsSchema = "relabel-views/edc"
    settings.operationsBytes = 80
    settings.source["permutation_type"] = .string("torch." + permutation.scalar.typeName)
  }
}
