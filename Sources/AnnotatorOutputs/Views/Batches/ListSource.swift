import Relabel

/// The views of a run whose files are lists of tensors: SRe2L's, and those of its many followers.
final class ListSource: ViewSource {
  let settings: ViewSettings
  var ignored: [String] { files.ignored }
  private(set) var bytesRead: Int64 = 0

  private let form: any BatchForm
  private let files: any BatchFiles
  private let first: StoredBatch.Form
  /// Views of a full batch.
  private let size: Int
  /// The file that is being read, and the batches in it that are still to come.
  private var current: (file: BatchFile, list: ListFile, batches: ArraySlice<ListValue>)?

  /// A file whose missing neighbours have been told.
  private var pending: BatchFile?

  /// Reads the first batch, which settles what all have in common.
  ///
  /// - Parameters:
  ///   - form: what is special about the dialect.
  ///   - options: what the user said.
  ///   - files: makes the files from the start.
  /// - Throws: what is wrong with the first file; `.usage` where there is none.
  init(
    _ form: any BatchForm,
    _ options: InputOptions,
    _ files: () throws(RelabelError) -> any BatchFiles
  ) throws(RelabelError) {
    self.form = form
    guard let file = try files().next() else {
      throw RelabelError(.usage, "there is no batch of the dialect '\(form.dialect)' in the folder")
    }
    let batch: StoredBatch
    do throws(RelabelError) {
      let list = try ListFile(file.path)
      let items = try Self.batches(list, form.filesHoldMany)
      guard let item = items.first?.items else { throw Self.noList }
      batch = try StoredBatch(item, form.slots(item), list)
    } catch {
      throw error.located(Location(file: file.path))
    }
    first = batch.form
    size = batch.count
    self.files = try files()
    var settings = Self.settings(form.dialect, batch)
    try form.settle(&settings, batch)
    try Self.checkIDs(batch, options)
    self.settings = settings
  }

  private static var noList: RelabelError {
    RelabelError(.invalidInput, "the file does not hold a list of batches")
  }

  private static func batches(
    _ list: ListFile,
    _ areMany: Bool
  ) throws(RelabelError) -> [ListValue] {
    guard let items = list.value.items, !items.isEmpty else { throw noList }
    return areMany ? items : [list.value]
  }

  private static func checkIDs(
    _ batch: StoredBatch,
    _ options: InputOptions
  ) throws(RelabelError) {
    guard let ids = batch.ids?.scalar else { return }
    let held = ids == .int16 ? 1 << 16 : ids.classesHeld
    try SparseMap.checkIDs(as: ids.typeName, held: held, classes: options.numClasses)
  }

  private static func settings(_ dialect: String, _ batch: StoredBatch) -> ViewSettings {
    var settings = ViewSettings(dialect: dialect)
    settings.columns = [Layout.viewBox, Layout.replay]
    settings.boxType = batch.coords.scalar == .float16 ? .float16 : .float32
    settings.rowOrder = .replay
    settings.chain = ["crop", "resize"]
    if batch.flip != nil {
      settings.columns.insert(Layout.viewFlip)
      settings.chain.append("flip")
    }
    switch batch.form.mix {
    case .none: break
    case .mixup:
      settings.columns.formUnion([Layout.mixupLambda, Layout.mixupPartner])
      settings.chain.append("mixup")
    case .cutmix:
      settings.columns.formUnion([Layout.cutmixLambda, Layout.cutmixBox, Layout.cutmixPartner])
      settings.chain.append("cutmix")
    }
    settings.scalar =
      switch batch.scores.scalar {
      case .float16: .float16
      case .bfloat16: .bfloat16
      default: .float32
      }
    settings.isInClassOrder = batch.ids == nil
    if batch.ids == nil { settings.numClasses = batch.scores.rowCount }
    settings.batchSize = batch.count
    settings.rowsTogether = batch.count
    settings.source["slots"] = .array(batch.form.slots.map { .string($0.rawValue) })
    settings.source["mix"] = .string(batch.form.mix.rawValue)
    if let type = batch.form.mixIndexType { settings.source["mix_index_type"] = .string(type) }
    if let type = batch.form.boxType { settings.source["box_type"] = .string(type) }
    if let ids = batch.ids { settings.source["id_type"] = .string("torch." + ids.scalar.typeName) }
    if let module = batch.module { settings.source["numpy"] = .string(module.rawValue) }
    return settings
  }

  func next() throws(RelabelError) -> ViewPiece? {
    if current == nil {
      if pending == nil { pending = try files.next() }
      guard let file = pending else { return nil }
      if let missing = file.missing {
        pending?.missing = nil
        let error = RelabelError(
          .invalidInput,
          "before this file batch \(missing.lowerBound) is missing: its views have no labels"
        )
        return ViewPiece(path: file.path, views: .failure(error))
      }
      pending = nil
      do throws(RelabelError) {
        let list = try ListFile(file.path)
        bytesRead += Int64(list.bytes)
        current = (file, list, try Self.batches(list, form.filesHoldMany)[...])
      } catch {
        return ViewPiece(path: file.path, views: .failure(error))
      }
    }
    guard let (file, list, batches) = current, let item = batches.first else { return nil }
    let isLast = batches.count == 1
    let place = BatchPlace(
      epoch: file.epoch,
      number: file.batch + batches.startIndex,
      size: size,
      isLast: isLast && file.isLast
    )
    current = isLast ? nil : (file, list, batches.dropFirst())
    do throws(RelabelError) {
      let views = try views(item, file.path, place, list)
      if current == nil { try list.finish() }
      return ViewPiece(path: file.path, views: .success(views))
    } catch {
      // What follows in a damaged file can't be trusted.
      current = nil
      return ViewPiece(path: file.path, views: .failure(error))
    }
  }

  private func views(
    _ item: ListValue,
    _ path: String,
    _ place: BatchPlace,
    _ list: ListFile
  ) throws(RelabelError) -> [StoredView] {
    guard let items = item.items else { throw Self.noList }
    let batch = try StoredBatch(items, form.slots(items), list)
    guard batch.form == first else {
      throw RelabelError(
        .invalidInput,
        "batch \(place.number) is \(batch.form.words), the first one of the run \(first.words): give each run by itself"
      )
    }
    guard batch.count <= size else {
      throw RelabelError(
        .invalidInput,
        "batch \(place.number) has \(batch.count) views, the first one of the run \(size)"
      )
    }
    let pictures = try form.pictures(batch, place)
    var views: [StoredView] = []
    views.reserveCapacity(batch.count)
    for slot in 0..<batch.count {
      let labels = try ViewLabels(row: slot, scores: batch.scores, ids: batch.ids(ofRow: slot))
      var view = StoredView(
        .number(pictures[slot]),
        at: .row(of: path, form.filesHoldMany ? place.start + slot : slot),
        labels
      )
      view.box = batch.box(ofRow: slot, isSwapped: form.hasSwappedBoxes)
      view.isFlipped = batch.flip.map { $0.number(slot) != 0 }
      view.replay = ReplayPlace(epoch: place.epoch, batch: place.number, slot: slot)
      let mix = batch.mix(ofRow: slot, pictures)
      if batch.form.mix == .cutmix { view.cutmix = mix } else { view.mixup = mix }
      view.operations = batch.operations(ofRow: slot)
      views.append(view)
    }
    return views
  }
}
