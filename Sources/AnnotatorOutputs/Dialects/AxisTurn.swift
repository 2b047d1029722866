import Relabel

/// Brings the rows of an array that is read front to back into the order of axes that its reader expects.
struct AxisTurn {
  /// What the array's header would be in that order, images first.
  let header: NumPyHeader
  /// Bytes of a row before it is turned.
  let rowBytes: Int
  /// Sizes and strides of a row in the order that is wanted; nil where nothing has to be done.
  private let turn: (sizes: [Int], strides: [Int])?
  private let width: Int

  /// - Parameters:
  ///   - header: of the array.
  ///   - axes: what its axes are; nil for those that are expected.
  ///   - wanted: the order of a row's axes.
  ///   - dropsFirst: leaves out the first of the first axis, the background class.
  /// - Throws: `.invalidInput` for axes that are not those of the array, or a batch whose rows lie scattered.
  init(
    _ header: NumPyHeader,
    _ axes: ArrayAxes?,
    _ wanted: [ArrayAxes.Axis],
    dropsFirst: Bool = false
  ) throws(RelabelError) {
    let isBatch = header.shape.count == wanted.count + 1
    let usual = ArrayAxes((isBatch ? [.n] : []) + wanted)
    width = header.scalar.width ?? 1
    guard axes != nil || dropsFirst, axes != nil || header.shape.count == usual.axes.count else {
      // The reader's own check says what is wrong with it.
      let rows = isBatch ? max(header.shape[0], 1) : 1
      (self.header, rowBytes, turn) = (header, header.dataBytes / rows, nil)
      return
    }
    let axes = axes ?? usual
    try axes.check(header.shape)
    guard axes.axes.allSatisfy({ $0 == .n || wanted.contains($0) }) else {
      throw RelabelError(
        .usage,
        "--axes '\(axes.text)': this array has the axes \(wanted.map(\.rawValue).joined(separator: " ")), and n"
      )
    }
    let strides =
      header.isFortran ? ArrayStrides.ofFortran(header.shape) : ArrayStrides.ofC(header.shape)
    let places = wanted.map { axes.axes.firstIndex(of: $0) }
    var sizes = places.map { $0.map { header.shape[$0] } ?? 1 }
    let images = axes.axes.firstIndex(of: .n)
    let rows = images.map { header.shape[$0] }
    if let images, header.shape[images] > 1, header.isFortran || images != 0 {
      throw RelabelError(
        .invalidInput,
        "the images of the batch \(header.shape) do not lie one after the other; save it with"
          + " numpy.ascontiguousarray, images first"
      )
    }
    rowBytes = header.dataBytes / max(rows ?? 1, 1)
    if dropsFirst {
      guard sizes[0] > 1 else {
        throw RelabelError(.invalidInput, "the array has one class, and that is the background")
      }
      sizes[0] -= 1
      skipped = strides[places[0] ?? 0]
    }
    turn = (sizes, places.map { $0.map { strides[$0] } ?? 0 })
    self.header = try NumPyHeader(header.scalar, shape: (rows.map { [$0] } ?? []) + sizes)
  }

  /// Elements before the first that is taken.
  private var skipped = 0

  /// The bytes of a row in the order that is wanted.
  func turned(_ bytes: [UInt8]) -> [UInt8] {
    guard let (sizes, strides) = turn else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(sizes.reduce(width, *))
    for first in 0..<sizes[0] {
      for second in 0..<sizes[1] {
        let start = skipped + first * strides[0] + second * strides[1]
        for third in 0..<sizes[2] {
          let place = (start + third * strides[2]) * width
          result += bytes[place..<place + width]
        }
      }
    }
    return result
  }
}
