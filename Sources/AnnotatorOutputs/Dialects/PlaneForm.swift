import Relabel

/// How planes [depth, H, W] of one or many images lie in a file.
struct PlaneForm: Hashable {
  let scalar: TorchScalar
  /// Bytes before the array.
  let start: Int
  /// The element that comes first.
  private(set) var first: Int
  /// Depth (k or classes), height, width.
  private(set) var sizes: [Int]
  let strides: [Int]
  /// How many images there are; nil for an array of one that has no axis for them.
  let rows: Int?
  /// Elements between images.
  let perRow: Int

  /// - Parameters:
  ///   - scalar: the element type.
  ///   - start: bytes before the array.
  ///   - shape: the array's sizes.
  ///   - strides: elements between neighbours along each axis, all of them within the array.
  ///   - axes: what the axes are.
  ///   - plane: which plane to take, where there is an axis of planes.
  /// - Throws: `.invalidInput` or `.unsafeInput` for sizes that no map has.
  init(
    _ scalar: TorchScalar,
    start: Int,
    shape: [Int],
    strides: [Int],
    axes: ArrayAxes,
    plane: Int = 0
  ) throws(RelabelError) {
    try axes.check(shape)
    func place(_ axis: ArrayAxes.Axis) -> Int? { axes.axes.firstIndex(of: axis) }
    if let planes = place(.p), shape[planes] != 2 {
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(shape): axis p of '\(axes.text)' has \(shape[planes]) planes and not 2"
      )
    }
    let places = [place(.c) ?? place(.k), place(.y), place(.x)]
    sizes = places.map { $0.map { shape[$0] } ?? 1 }
    self.strides = places.map { $0.map { strides[$0] } ?? 0 }
    first = place(.p).map { plane * strides[$0] } ?? 0
    rows = place(.n).map { shape[$0] }
    perRow = place(.n).map { strides[$0] } ?? 0
    (self.scalar, self.start) = (scalar, start)
    if rows == 0 { throw RelabelError(.invalidInput, "the array holds no map") }
    guard sizes[0] > 0 else { throw RelabelError(.invalidInput, "the array has no classes") }
    if let fault = Limits.fault(height: sizes[1], width: sizes[2]) {
      throw RelabelError(.invalidInput, "\(fault); the axes are '\(axes.text)'")
    }
    guard let elements = checkedProduct(of: sizes), elements <= Limits.denseBytes / 8 else {
      throw RelabelError(.unsafeInput, "one map \(sizes) is larger than \(Limits.denseBytes) bytes")
    }
    // A map that is scattered over the file would be read again and again.
    guard rows ?? 1 <= 1 || reach < 4 * elements + 64 else {
      throw RelabelError(
        .invalidInput,
        "the images of the batch \(shape) do not lie one after the other; save it with"
          + " numpy.ascontiguousarray, images first"
      )
    }
  }

  /// Elements from the first of a map to behind its last.
  private var reach: Int { zip(sizes, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 } }

  /// The same without class 0.
  func withoutFirstClass() throws(RelabelError) -> PlaneForm {
    guard sizes[0] > 1 else {
      throw RelabelError(.invalidInput, "the array has one class, and that is the background")
    }
    var form = self
    form.first += strides[0]
    form.sizes[0] -= 1
    return form
  }

  /// Bytes of one map.
  var rowBytes: Int { sizes.reduce(scalar.width, *) }

  /// Reads an image's plane.
  func plane(
    _ row: Int,
    of file: ByteRegion,
    path: () -> String
  ) throws(RelabelError) -> StridedPlane {
    let element = first + row * perRow
    let region = file.slice(start + element * scalar.width, reach * scalar.width)
    guard region.offset - file.offset >= 0,
      region.offset - file.offset <= file.count - region.count
    else {
      throw RelabelError(.invalidInput, "the array reaches behind the end of its file")
    }
    return StridedPlane(
      scalar: scalar,
      bytes: try region.read(limit: 4 * Limits.denseBytes, path: path()),
      start: 0,
      first: 0,
      sizes: sizes,
      strides: strides
    )
  }
}
