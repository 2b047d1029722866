import Relabel

/// Lists of HALD: one file for each epoch.
///
/// Source: Jiacheng8/HALD at ffbca04e0256faf6c0b2cfca21b2afb8e7890d88, relabel/relabel_slc.py.
///
/// `NAME_bs{B}_slc{S}_ipc{I}/epoch_E.tar` is a list of batches, each with SRe2L's six slots: coords f16, the box of four
/// NumPy int64, and labels f16 [B,C]; beside them `sampler_indices_dict.pt`, a dictionary {'E': [pictures]}.
///
/// - Scores are probabilities, softmax(logits / T) with T = 20 unless the writer was told otherwise, which no file
///   says; of half precision, so that they sum to 1 only nearly.
/// - The order of each epoch has a seed of its own; the dictionary is what counts.
/// - Labels of a teacher in training mode depend on their whole batch.
/// - Batch size and the number of epochs stand in the folder's name only.
struct HALDLists: ViewDialect {
  fileprivate static let list = "sampler_indices_dict.pt"

  let names = ["hald"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    folder.has(Self.list) && folder.has("epoch_0.tar")
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    let lists = try IndexLists(torch: folder.path + Self.list)
    return try ListSource(HALDForm(lists: lists, folder: folder.name), options) {
      () throws(RelabelError) in
      try NumberedFiles(folder, "epoch_", areEpochs: true, known: [Self.list])
    }
  }
}

/// HALD's batches.
private struct HALDForm: BatchForm {
  let dialect = "hald"
  let filesHoldMany = true
  let hasSwappedBoxes = false
  let lists: IndexLists
  let folder: String

  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot] {
    try BatchSlot.sre2l(items)
  }

  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int] {
    try lists.part(place.epoch, place.start, batch.count, isLast: place.isLast)
  }

  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) {
    settings.source["folder"] = .string(folder)
  }
}
