import Relabel

/// `.npy` files of dense scores: one map [C, H, W] or N of them, [N, C, H, W].
struct DenseArray: Dialect {
  let name = "dense array"
  let word = "array"
  let extensions = [".npy"]

  func list(
    _ whole: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    let header = try NumPyHeader.read(whole, path: path)
    let isNamed = options.dialect == word
    if let maps = try Self.maps(header, options, isNamed: isNamed) {
      return maps.found(in: whole, path: path)
    }
    let layout = try DenseLayout(header, options)
    guard let rows = layout.rows else {
      return FoundMaps(layout, whole.slice(header.length, layout.rowBytes))
    }
    return FoundMaps(.rows, count: rows) { row in
      let offset = header.length + row * layout.rowBytes
      return .map(layout, whole.slice(offset, layout.rowBytes, path: path))
    }
  }
}

extension DenseArray {
  func evidence(in head: [UInt8]) -> String? {
    NumPyHeader.begins(head) ? "a .npy array" : nil
  }

  /// The maps of an array that is not just [C, H, W] or [N, C, H, W] in C order; nil for those.
  private static func maps(
    _ header: NumPyHeader,
    _ options: InputOptions,
    isNamed: Bool
  ) throws(RelabelError) -> ArrayMaps? {
    if let axes = options.axes {
      if axes.axes.contains(.p) { return try PASSLArray.maps(header, options, isCertain: true) }
      guard axes.axes.contains(.c) else {
        throw RelabelError(
          .usage,
          "--axes '\(axes.text)' has kept classes and no class ids: an array of both has an axis p, or two arrays are"
            + " in an .npz file"
        )
      }
      return try dense(header, axes, options)
    }
    let shape = header.shape
    if !isNamed, PASSLArray.mayHave(shape), shape[1] != options.numClasses {
      return try PASSLArray.maps(header, options, isCertain: false)
    }
    guard shape.count < 3 || options.isBackgroundFirst else { return nil }
    return try dense(header, ArrayAxes.dense(shape, options), options)
  }

  private static func dense(
    _ header: NumPyHeader,
    _ axes: ArrayAxes,
    _ options: InputOptions
  ) throws(RelabelError) -> ArrayMaps {
    var maps = try ArrayMaps.dense("dense array", header.form(axes), options)
    maps.evidence =
      "a .npy array \(header.shape) of \(header.scalar.typeName), axes \(axes.text)"
    return maps
  }
}

/// How one dense map [C, H, W] lies in its bytes, and what it is reduced to.
final class DenseLayout: Sendable {
  let scalar: NumPyScalar
  let isFortran: Bool
  let classes: Int
  let shape: MapShape
  /// Bytes of one map.
  let rowBytes: Int
  /// Maps in the array; nil for an array [C, H, W].
  let rows: Int?
  /// True where each cell's logarithm of the sum over all classes is wanted.
  let keepsLogNormalizer: Bool
  /// True where scores are stored less the mean of those that their cell leaves out.
  let centres: Bool

  /// Checks the header of a dense array against everything but the file's size.
  ///
  /// - Parameters:
  ///   - header: of the array.
  ///   - options: what the user said.
  ///   - isSettled: true where the user has named the axes.
  /// - Throws: `.invalidInput` or `.unsafeInput` for an array that can't be read so.
  init(
    _ header: NumPyHeader,
    _ options: InputOptions,
    isSettled: Bool = false
  ) throws(RelabelError) {
    guard header.shape.count == 3 || header.shape.count == 4 else {
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(header.shape); dense maps are [C, H, W] or [N, C, H, W]"
      )
    }
    guard header.scalar.isFloat else {
      throw RelabelError(.invalidInput, "a dense map is of float16, float32 or float64")
    }
    let axes = header.shape.suffix(3)
    let (classes, height, width) = (
      axes[axes.startIndex], axes[axes.startIndex + 1], axes[axes.startIndex + 2]
    )
    if let fault = Limits.fault(height: height, width: width) {
      throw RelabelError(.invalidInput, "\(fault); dense maps are [C, H, W] or [N, C, H, W]")
    }
    if !isSettled, let fault = Self.oddness(classes, height, width, options.numClasses) {
      throw RelabelError(.invalidInput, "the array \(header.shape) reads as \(fault)")
    }
    let topK = options.topK ?? InputOptions.defaultTopK
    guard classes >= topK else {
      throw RelabelError(
        .invalidInput,
        "the map scores \(classes) classes, fewer than the top-k of \(topK); ask for at most"
          + " \(classes)"
      )
    }
    if let fault = Limits.fault(height: height, width: width, topK: topK) {
      throw RelabelError(.invalidInput, fault)
    }
    guard let scalarWidth = header.scalar.width,
      let rowBytes = checkedProduct(classes, height, width, scalarWidth),
      let floatBytes = checkedProduct(classes, height, width, 4),
      classes <= Int(UInt32.max), max(rowBytes, floatBytes) <= Limits.denseBytes
    else {
      throw RelabelError(
        .unsafeInput,
        "one map of \(classes) classes on \(height)×\(width) cells is larger than"
          + " \(Limits.denseBytes) bytes"
      )
    }
    rows = header.shape.count == 4 ? header.shape[0] : nil
    if rows == 0 { throw RelabelError(.invalidInput, "the array holds no map") }
    // Across rows Fortran order scatters every map over the whole file.
    guard !header.isFortran || (rows ?? 1) == 1 else {
      throw RelabelError(
        .invalidInput,
        "a batch in Fortran order is not read; save it with numpy.ascontiguousarray"
      )
    }
    scalar = header.scalar
    isFortran = header.isFortran
    keepsLogNormalizer = options.keepsLogNormalizer
    centres = options.centres
    self.classes = classes
    self.rowBytes = rowBytes
    shape = MapShape(height: height, width: width, topK: topK)
  }

  /// Why an array is more likely one whose classes come last, or nil.
  static func oddness(
    _ classes: Int,
    _ height: Int,
    _ width: Int,
    _ numClasses: Int?
  ) -> String? {
    let reading = "\(classes) classes on a grid of \(height)×\(width) cells"
    let mend = "numpy.moveaxis(a, -1, -3) moves them, or --axes 'h w c' says how they lie"
    if let numClasses {
      guard classes != numClasses, width == numClasses else { return nil }
      return "\(reading), but there are \(numClasses) classes: they come first; \(mend)"
    }
    // Grids are about square, and few networks have fewer classes than the grid has rows.
    guard max(height, width) > classes, height != width else { return nil }
    return
      "\(reading): give --num-classes \(classes) if that is so; else classes come first, and \(mend)"
  }

  /// The top-k of one map, as its network gave it.
  private func decode(_ bytes: [UInt8]) throws(RelabelError) -> LabelMap {
    guard bytes.count == rowBytes else {
      throw RelabelError(.internalFault, "a map has \(bytes.count) bytes instead of \(rowBytes)")
    }
    // The usual array is reduced where it was read, in the byte order that it has.
    if scalar == .float32, !isFortran, Int.init(littleEndian: 1) == 1 {
      let map = bytes.withUnsafeBytes { TopK.reduce($0, classes: classes, shape: shape) }
      if let map { return map }
    }
    let dense = floats(bytes)
    guard let map = TopK.reduce(dense.span, classes: classes, shape: shape) else {
      throw TopK.refusal(of: dense.span, shape: shape)
    }
    return map
  }

  /// One map as it is stored, with what the options ask for beside it.
  ///
  /// - Throws: `.invalidInput` naming the first score that is not finite.
  func loaded(_ bytes: [UInt8], wantsDense: Bool) throws(RelabelError) -> LoadedMap {
    let map = try decode(bytes)
    var loaded = LoadedMap(map)
    if wantsDense || keepsLogNormalizer || centres {
      var dense = DenseMap(classes: classes, shape: shape, score: floats(bytes))
      if centres {
        let means = dense.absentMeans(map)
        loaded = LoadedMap(map.less(means))
        if wantsDense || keepsLogNormalizer { dense = dense.less(means) }
      }
      if keepsLogNormalizer { loaded.logNormalizer = dense.logNormalizer() }
      if wantsDense { loaded.dense = dense }
    }
    loaded.isFromAllClasses = true
    return loaded
  }

  /// The scores of one map in the order [C, H, W].
  private func floats(_ bytes: [UInt8]) -> [Float] {
    let dense = bytes.withUnsafeBytes { NumPyValues.floats(scalar, $0, classes * shape.cells) }
    guard isFortran else { return dense }
    return NumPyValues.fromFortran(dense, shape: [classes, shape.height, shape.width])
  }
}

extension DenseLayout: MapDescription {
  var traits: MapTraits {
    MapTraits(denseClasses: classes, dialect: "dense array")
  }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    try loaded(region.read(limit: Limits.denseBytes, path: path()), wantsDense: wantsDense)
  }

  static func == (a: DenseLayout, b: DenseLayout) -> Bool {
    a.scalar == b.scalar && a.isFortran == b.isFortran && a.classes == b.classes
      && a.shape == b.shape && a.rows == b.rows && a.keepsLogNormalizer == b.keepsLogNormalizer
      && a.centres == b.centres
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(classes)
    hasher.combine(shape)
  }
}
