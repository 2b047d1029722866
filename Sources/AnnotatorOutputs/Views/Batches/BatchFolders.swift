import Relabel

/// Files `epoch_E/batch_B.tar`, by epoch and batch.
final class EpochFolders: BatchFiles {
  private(set) var ignored: [String]
  private let folder: ViewFolder
  private var epochs: ArraySlice<Int>
  private var epoch = 0
  private var batches: ArraySlice<Int> = []
  private var expected = 0

  /// - Parameters:
  ///   - folder: the folder of the epochs.
  ///   - known: names beside them that are read elsewhere.
  /// - Throws: `.io` naming a folder that can't be listed.
  init(_ folder: ViewFolder, known: Set<String> = []) throws(RelabelError) {
    self.folder = folder
    let (numbers, others) = try folder.numbered("epoch_", "")
    epochs = numbers[...]
    ignored = others.filter { !known.contains($0) }.map { folder.path + $0 }
  }

  func next() throws(RelabelError) -> BatchFile? {
    while batches.isEmpty {
      guard let epoch = epochs.popFirst() else { return nil }
      self.epoch = epoch
      let inner = ViewFolder("\(folder.path)epoch_\(epoch)")
      let (numbers, others) = try inner.numbered("batch_", ".tar")
      batches = numbers[...]
      ignored += others.map { inner.path + $0 }
      expected = 0
    }
    guard let number = batches.popFirst() else { return nil }
    defer { expected = number + 1 }
    return BatchFile(
      path: "\(folder.path)epoch_\(epoch)/batch_\(number).tar",
      epoch: epoch,
      batch: number,
      isLast: batches.isEmpty,
      missing: number > expected ? expected..<number : nil
    )
  }

  /// True where a folder has such files.
  static func isThere(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    let names = try folder.glance()
    guard let epoch = names.first(where: { $0.number(between: "epoch_", "") != nil }) else {
      return false
    }
    let inner = ViewFolder(folder.path + epoch)
    guard Folder.exists(inner.path) else { return false }
    return try inner.glance().contains { $0.number(between: "batch_", ".tar") != nil }
  }

  /// The slots of the first batch in a folder, or nil where that can't be read.
  static func firstSlots(_ folder: ViewFolder) throws(RelabelError) -> Int? {
    guard let file = try EpochFolders(folder).next() else { return nil }
    do throws(RelabelError) {
      return try ListFile(file.path).value.items?.count
    } catch {
      if error.code == .io { throw error }
      return nil
    }
  }
}

/// Files with a number between a prefix and a suffix in one folder.
final class NumberedFiles: BatchFiles {
  let ignored: [String]
  private let name: (Int) -> String
  private let place: (Int) -> (epoch: Int, batch: Int)
  private let areEpochs: Bool
  private var numbers: ArraySlice<Int>
  private var expected = 0

  /// - Parameters:
  ///   - folder: where the files lie.
  ///   - prefix: what stands before the number.
  ///   - areEpochs: true where each file is an epoch, and not a batch.
  ///   - known: names beside them that are read elsewhere.
  /// - Throws: `.io` naming a folder that can't be listed.
  init(
    _ folder: ViewFolder,
    _ prefix: String,
    areEpochs: Bool,
    known: Set<String>
  ) throws(RelabelError) {
    let (numbers, others) = try folder.numbered(prefix, ".tar")
    self.numbers = numbers[...]
    self.areEpochs = areEpochs
    ignored = others.filter { !known.contains($0) }.map { folder.path + $0 }
    name = { "\(folder.path)\(prefix)\($0).tar" }
    place = { areEpochs ? ($0, 0) : (0, $0) }
  }

  func next() throws(RelabelError) -> BatchFile? {
    guard let number = numbers.popFirst() else { return nil }
    defer { expected = number + 1 }
    return BatchFile(
      path: name(number),
      epoch: place(number).epoch,
      batch: place(number).batch,
      isLast: areEpochs || numbers.isEmpty,
      missing: !areEpochs && number > expected ? expected..<number : nil
    )
  }
}
