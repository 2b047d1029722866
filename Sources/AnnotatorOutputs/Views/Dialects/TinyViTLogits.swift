import Relabel

/// Logits that TinyViT's program has saved: keys and values.
///
/// Source: microsoft/Cream at 4a13c4091e78f9abd2160e7e01c02e48c1cf8fb9, TinyViT/save_logits.py and
/// TinyViT/data/augmentation.
///
/// `logits_top{k}_epoch{E}/rank{R}-keys.txt` has a key in each line, `rank{R}-values.bin` a record for each line:
/// seed i32, k ids i16, k probabilities f16, in the byte order of the writer, which is taken for little-endian.
///
/// - Crop, flip, RandAugment, erasing and mixing are not stored: the seed makes all of them again, with NumPy's
///   `Generator(PCG64(seed))` and the repository's own code. Pairs of neighbouring lines were mixed.
/// - Of several ranks the sampler hands some pictures to two, so that the same key has two views in an epoch.
/// - k stands in the folder's name only, and the number of classes nowhere; ids are negative above 32,767.
/// - Sums of probabilities may exceed 1 by what rounding to half precision does.
/// - Keys are the numbers of an ImageFolder, or stems of pictures.
///
/// `replay` is the epoch, the line and the rank: what all ranks saw in one step lies together.
struct TinyViTLogits: ViewDialect {
  let names = ["tinyvit"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    try folder.glance().contains { name in
      TinyViTEpoch.numbers(name) != nil && Folder.hasFile("\(folder.path)\(name)/rank0-keys.txt")
    }
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    try TinyViTSource(folder, options)
  }
}

/// The views of TinyViT's folders, epoch by epoch.
private final class TinyViTSource: ViewSource {
  private(set) var settings = ViewSettings(dialect: "tinyvit")
  private(set) var ignored: [String] = []
  private(set) var bytesRead: Int64 = 0

  private let root: ViewFolder
  private let classes: Int
  private let list: ImageList?
  /// Lines of the image list by the stems of their pictures; nil for a stem that two have.
  private var stems: [ImageKey.Exact: Int?] = [:]
  private var epochs: ArraySlice<Int>
  private var current: TinyViTEpoch?

  init(_ root: ViewFolder, _ options: InputOptions) throws(RelabelError) {
    self.root = root
    var (epochs, counts): ([Int], Set<Int>) = ([], [])
    for name in try root.names() {
      if let (count, epoch) = TinyViTEpoch.numbers(name) {
        epochs.append(epoch)
        counts.insert(count)
      } else {
        ignored.append(root.path + name)
      }
    }
    guard let count = counts.first, counts.count == 1 else {
      throw RelabelError(
        .usage,
        counts.isEmpty
          ? "there is no folder logits_top{k}_epoch{E} of the dialect 'tinyvit'"
          : "the folders have \(counts.sorted().map(String.init).joined(separator: " and ")) classes a view: give each"
            + " run by itself"
      )
    }
    try SparseMap.checkIDs(as: "int16", held: 1 << 16, classes: options.numClasses)
    classes = count
    list = try options.imageList.map { lines throws(RelabelError) in try ImageList(lines) }
    for (line, key) in (list?.keys ?? []).enumerated() {
      let stem = ImageKey.Exact(Folder.name(of: key))
      stems[stem] = stems[stem] == nil ? .some(line) : .some(nil)
    }
    self.epochs = epochs.sorted()[...]
    guard let first = try TinyViTEpoch(root, classes, self.epochs.first ?? 0).firstKey else {
      throw RelabelError(.usage, "the first folder of the dialect 'tinyvit' has no keys")
    }
    settings.columns = [Layout.viewSeed, Layout.replay]
    settings.rowOrder = .replay
    settings.scalar = .float16
    settings.chain = ["crop", "resize", "flip", "operations"]
    settings.source["keys"] = .string(first.plainNumber == nil ? "name" : "position")
    settings.source["k"] = .integer(Int64(count))
  }

  func next() throws(RelabelError) -> ViewPiece? {
    while true {
      if current == nil {
        guard let epoch = epochs.popFirst() else { return nil }
        let path = "\(root.path)logits_top\(classes)_epoch\(epoch)"
        do throws(RelabelError) {
          current = try TinyViTEpoch(root, classes, epoch)
        } catch {
          if error.code == .io { throw error }
          return ViewPiece(path: path, views: .failure(error))
        }
        ignored += current?.ignored ?? []
        bytesRead += current?.bytes ?? 0
      }
      guard let current else { return nil }
      do throws(RelabelError) {
        let records = try current.next()
        if records.isEmpty {
          self.current = nil
          continue
        }
        return ViewPiece(path: current.path, views: .success(try records.map(view)))
      } catch {
        if error.code == .io { throw error }
        self.current = nil
        return ViewPiece(path: current.path, views: .failure(error))
      }
    }
  }

  private func view(_ record: TinyViTEpoch.Record) throws(RelabelError) -> StoredView {
    let labels = ViewLabels(ids: record.ids, scores: record.scores, .float16)
    var view = StoredView(
      try picture(record.key),
      at: .row(of: record.path, record.replay.batch),
      labels
    )
    view.seed = Int64(record.seed)
    view.replay = record.replay
    return view
  }

  /// The picture of a key: the number of one, or the name of a stem.
  private func picture(_ key: String) throws(RelabelError) -> StoredView.Picture {
    if let number = key.plainNumber { return .number(number) }
    guard let list, list.line(of: key) == nil, let found = stems[ImageKey.Exact(key)] else {
      return .key(key)
    }
    guard let line = found else {
      throw RelabelError(.invalidInput, "two pictures of the image list have the stem '\(key)'")
    }
    return .number(line)
  }
}
