import Relabel

/// Lists of SRe2L, and of its followers CDA, CV-DD and FADRM, whose programs write the same six slots in the same
/// order (FADRM: Jiacheng8/FADRM at 9d0690508026f0f53acac043fed88e66cf3173b8, relabel/relabel.py; no file of them was
/// at hand).
///
/// Source: VILA-Lab/SRe2L at 8d00cba364bfa34aa1f5a8107dc041ae1be8ebe6, SRe2L/relabel/generate_soft_label.py; read by
/// SRe2L/train/utils_fkd.py.
///
/// `epoch_E/batch_B.tar` is a zip of `torch.save`: [coords f32 [B,4], flip bool [B], mix_index i64 [B] or None, lambda
/// float or None, box of four NumPy int64 or None, logits f16 or f32 [B,C]].
///
/// - No file names a picture. The order is that of torch's `RandomSampler` with a generator of seed 42 that runs on
///   through the epochs; the image list tells how many pictures there are, and which.
/// - The box has rows first though the code calls them bbx and bby; partners are slots of the same batch, and a slot may
///   be its own partner. The lambda is the draw of the beta distribution, not the share of pixels.
/// - The temperature and what a score is stand nowhere.
struct SRe2LLists: ViewDialect {
  let names = ["sre2l", "cda", "cv-dd", "cvdd", "fadrm"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    try EpochFolders.isThere(folder)
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    guard let pictures = options.imageList?.count, pictures > 0 else {
      throw RelabelError(
        .usage,
        "no file of the dialect 'sre2l' names a picture: please give --images LIST with the pictures in the order of"
          + " torchvision's ImageFolder, from which the order of the views follows"
      )
    }
    guard pictures < Int(UInt32.max) / 20 else {
      throw RelabelError(
        .usage,
        "--images has \(pictures) lines; at most 214,748,363 can be in the order of a sampler"
      )
    }
    return try ListSource(SRe2LForm(pictures), options) { () throws(RelabelError) in
      try EpochFolders(folder)
    }
  }
}

/// SRe2L's batches, whose pictures follow from the seed of the sampler.
private final class SRe2LForm: BatchForm {
  /// The seed that the program has unless told otherwise; nobody tells it otherwise.
  private static let seed: UInt32 = 42

  let dialect = "sre2l"
  let filesHoldMany = false
  let hasSwappedBoxes = false

  private let count: Int
  private var random = TorchRandom(seed: SRe2LForm.seed)
  private var order: [Int32] = []
  /// Epochs whose order has been drawn.
  private var drawn = 0

  init(_ count: Int) { self.count = count }

  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    try BatchSlot.sre2l(items)
  }

  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int] {
    while drawn <= place.epoch {
      order = random.permutation(count)
      // The sampler asks for an order of what is left of an epoch, which is nothing.
      _ = random.permutation(count)
      drawn += 1
    }
    let end = place.start + batch.count
    let isWhole = end == count || (batch.count == place.size && count - end < place.size)
    guard end <= count, !place.isLast || isWhole else {
      throw RelabelError(
        .invalidInput,
        "epoch \(place.epoch) has \(end) views, the image list \(count) pictures: give --images the list of the"
          + " pictures that the labels were made of"
      )
    }
    return order[place.start..<end].map { Int($0) }
  }

  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) {}
}

extension BatchSlot {
  /// The six slots of SRe2L.
  ///
  /// - Throws: `.invalidInput` for another number, or a patch in the place of the flip.
  static func sre2l(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    guard items.count == 6 else {
      throw RelabelError(
        .invalidInput,
        "the batch has \(items.count) slots; SRe2L stores 6, G-VBSM 7, EDC 8, LPQLD 6 to 8: see --dialect"
      )
    }
    return six
  }
}
