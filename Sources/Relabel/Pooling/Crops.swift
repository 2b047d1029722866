/// The crops of a batch and the room for their dense targets, in memory of a caller.
///
/// The probability of class c for box b of image i goes to (i · `boxesPerImage` + b) · classes + c.
package struct Crops: @unchecked Sendable {
  // Unchecked: every place is written by the one thread that has its image.
  package let images: Int
  let boxesPerImage: Int
  let threads: Int
  /// So many that the place of every probability fits into an address.
  private static let mostBoxes: Int64 = 1 << 36

  private let boxes: UnsafePointer<Double>
  private let targets: UnsafeMutablePointer<Float>
  private let covered: UnsafeMutablePointer<Double>?

  /// Wraps memory that stays valid while targets are written; nil when there are no boxes.
  ///
  /// - Parameters:
  ///   - boxes: top, left, height, width of each box.
  ///   - images: how many images there are.
  ///   - boxesPerImage: boxes of each.
  ///   - threads: how many threads share the images.
  ///   - targets: receives the probabilities.
  ///   - covered: receives the covered share of each box, or nil.
  /// - Throws: `.usage` for numbers that make no sense and for memory that is missing.
  package init?(
    _ boxes: UnsafePointer<Double>?,
    _ images: Int64,
    _ boxesPerImage: Int64,
    _ threads: Int32,
    _ targets: UnsafeMutablePointer<Float>?,
    _ covered: UnsafeMutablePointer<Double>?
  ) throws(RelabelError) {
    guard images >= 0, boxesPerImage >= 0, threads >= 1 else {
      throw RelabelError(.usage, "counts must not be negative, and threads at least 1")
    }
    let (count, overflows) = images.multipliedReportingOverflow(by: boxesPerImage)
    guard !overflows, count <= Self.mostBoxes else {
      throw RelabelError(.usage, "\(images) images with \(boxesPerImage) boxes each are too many")
    }
    if count == 0 { return nil }
    guard let boxes, let targets else {
      throw RelabelError(.usage, "boxes or targets is NULL")
    }
    self.boxes = boxes
    self.images = Int(images)
    self.boxesPerImage = Int(boxesPerImage)
    self.threads = Int(threads)
    self.targets = targets
    self.covered = covered
  }

  /// Pools all boxes of one image.
  ///
  /// - Parameters:
  ///   - image: its number in the batch.
  ///   - map: its labels.
  ///   - extent: what they cover.
  ///   - pooling: how to pool.
  ///   - scratch: memory of this thread.
  /// - Throws: as `LabelPooling.target`.
  func write<ID>(
    _ image: Int,
    _ map: MapEntries<ID>,
    _ extent: CropBox,
    _ pooling: LabelPooling,
    _ scratch: PoolingScratch
  ) throws(RelabelError) {
    for slot in image * boxesPerImage..<(image + 1) * boxesPerImage {
      let box = CropBox(boxes + slot * 4)
      let target = targets + slot * pooling.numClasses
      let share = try pooling.write(map, box, extent, scratch, to: target)
      covered?[slot] = share
    }
  }
}
