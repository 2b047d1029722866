import Relabel

/// The dialect of PASSL (PaddlePaddle's copy of TokenLabeling's maps): a `.npy` [2, k, H, W] for each image.
///
/// Facts: configs/lvvit/README_ch.md of PaddlePaddle/PASSL at 0f432f16. The arrays were made from TokenLabeling's
/// `.pt` files, so scores are logits and stand in plane 0, class ids in plane 1, both float16; ids in float16 are
/// exact up to 2,048. The archive is a `.tgz` that was cut into seven parts: `cat` joins them.
///
/// By shape alone such an array may also be two dense maps [2, C, H, W]. A map shows by its values: class ids are
/// whole and differ within a cell, scores are not whole and fall along k.
struct PASSLArray: Dialect {
  let name = "PASSL array"
  let word = "passl"
  let extensions: [String] = []

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    let header = try NumPyHeader.read(region, path: path)
    return try Self.maps(header, options, isCertain: true).found(in: region, path: path)
  }

  /// Decodes a file of the dialect that is called otherwise.
  static func decode(_ file: [UInt8], classes: Int) throws(RelabelError) -> LabelMap {
    let header = try NumPyHeader(file)
    try header.check(fileBytes: file.count)
    var options = InputOptions(spoolDirectory: "")
    options.numClasses = classes
    let maps = try maps(header, options, isCertain: false)
    let region = ByteRegion(storage: .memory(file), offset: 0, count: file.count)
    return try maps.load(0, of: region, wantsDense: false) { "" }.map
  }

  /// True for a shape that maps of few kept classes have, and dense maps hardly.
  static func mayHave(_ shape: [Int]) -> Bool {
    shape.count == 4 && shape[0] == 2 && shape[1] <= 64 && max(shape[2], shape[3]) <= 256
  }

  /// The map of an array with this header.
  ///
  /// - Parameters:
  ///   - header: of the array.
  ///   - options: what the user said.
  ///   - isCertain: true where the user says so; else the values have to show it.
  /// - Returns: the map, and how it lies.
  /// - Throws: `.usage` for axes without planes, `.invalidInput` for another shape.
  static func maps(
    _ header: NumPyHeader,
    _ options: InputOptions,
    isCertain: Bool
  ) throws(RelabelError) -> ArrayMaps {
    let axes = options.axes ?? ArrayAxes([.p, .k, .y, .x])
    guard axes.axes.contains(.p) else {
      throw RelabelError(
        .usage,
        "--axes '\(axes.text)' has no p: PASSL arrays have a plane of scores and one of class ids, 'p k h w'"
      )
    }
    guard options.axes != nil || (header.shape.count == 4 && header.shape[0] == 2) else {
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(header.shape); a PASSL array is [2, k, H, W] of scores and class ids"
      )
    }
    let form = try header.form(axes, plane: 0)
    var maps = try ArrayMaps.sparse(
      "PASSL array",
      scores: form,
      ids: header.form(axes, plane: 1),
      options,
      usualClasses: ReLabelTensor.classes
    )
    (maps.scoreKind, maps.isConvention, maps.isReLabelDialect) = (.logit, true, true)
    maps.order = "plane 0 of the array holds the scores, plane 1 the class ids"
    maps.needsLikeness = !isCertain
    maps.evidence =
      "a .npy array \(header.shape) of \(header.scalar.typeName), plane 0 scores that fall along k, plane 1 whole"
      + " class ids"
    return maps
  }
}
