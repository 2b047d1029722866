import Relabel

/// Where the batches of a run lie, file by file in their order.
protocol BatchFiles: AnyObject {
  /// Files that are not read.
  var ignored: [String] { get }

  /// The next file, nil at the end.
  func next() throws(RelabelError) -> BatchFile?
}

/// A file of batches.
struct BatchFile {
  let path: String
  let epoch: Int
  /// The number of its batch; of its first one, where it holds many.
  let batch: Int
  /// True for the last file of its epoch.
  var isLast = true
  /// The files that should lie before this one and are not there.
  var missing: Range<Int>?
}

/// Where a batch stands in its run.
struct BatchPlace {
  let epoch: Int
  /// Its number within the epoch.
  let number: Int
  /// Views of the run's full batches.
  let size: Int
  /// True for the last batch of the epoch.
  let isLast: Bool

  /// Where the batch begins among the views of its epoch.
  var start: Int { number * size }
}

/// How one dialect of stored batches differs from the others.
protocol BatchForm {
  /// The dialect's name.
  var dialect: String { get }
  /// True where a file holds a list of batches, and not one.
  var filesHoldMany: Bool { get }
  /// True where tops and heights are fractions of the width, lefts and widths of the height.
  var hasSwappedBoxes: Bool { get }

  /// What stands in the slots of a batch.
  ///
  /// - Throws: `.invalidInput` for a list of another dialect.
  func slots(_ items: [ListValue]) throws(RelabelError) -> [BatchSlot]

  /// The pictures of a batch's slots.
  ///
  /// - Parameters:
  ///   - batch: the batch.
  ///   - place: where it stands in the run.
  /// - Returns: as many numbers as the batch has views.
  /// - Throws: `.invalidInput` where the index list does not go with the files.
  func pictures(_ batch: StoredBatch, _ place: BatchPlace) throws(RelabelError) -> [Int]

  /// Adds what is special about the dialect.
  func settle(_ settings: inout ViewSettings, _ first: StoredBatch) throws(RelabelError)
}
