package import HDF5
package import Relabel

extension File {
  /// Writes the root attributes (spec, "Root attributes").
  func setAttributes(of header: ShardHeader) throws(HDF5Error) {
    try setAttribute("format", "relabel")
    try setAttribute("format_version", "\(header.version)")
    try setAttribute("features_required", Features.text(header.features.required))
    try setAttribute("features_optional", Features.text(header.features.optional))
    try setAttribute("num_classes", Int64(header.numClasses))
    try setAttribute("score_kind", header.scoreKind.rawValue)
    if header.classesAre != .exclusive {
      try setAttribute("classes_are", header.classesAre.rawValue)
    }
    if let size = header.views?.size {
      try setAttribute("view_size", [Int64(size.height), Int64(size.width)])
    }
    try setAttribute("fill", header.fill.rawValue)
    try setAttribute("temperature", header.temperature)
    try setAttribute("cell_order", header.cellOrder.rawValue)
    try setAttribute("row_order", "\(header.rowOrder)")
    try setAttribute("orientation", header.orientation.rawValue)
    try setAttribute("map_extent", header.mapExtent.components.map(Float.init))
    try setAttribute("writer", header.writer)
    try setAttribute("build_id", header.buildID)
    let document = header.metadata.text
    for (piece, start) in stride(
      from: 0,
      to: document.count,
      by: MetadataDocument.pieceBytes
    ).enumerated() {
      let end = min(start + MetadataDocument.pieceBytes, document.count)
      try setAttribute(MetadataDocument.pieceName(piece), bytes: Array(document[start..<end]))
    }
    try setAttribute("metadata_sha256", header.metadata.sha256)
  }
}

extension File {
  /// Takes over the attributes that begin with `x-` (spec, section 12.4), those of the root and those of
  /// the datasets that are here too.
  func copyVendorAttributes(from shard: ShardFile) throws(HDF5Error) {
    let original = try File.open(shard.path)
    try copyVendorAttributes(from: original)
    let names = Set(try links().map(\.name))
    for (name, _) in shard.columns where names.contains(name) {
      let dataset = try openDataset(name)
      try dataset.copyVendorAttributes(from: try original.openDataset(name))
    }
  }
}

extension Object where Self: ~Copyable {
  fileprivate func copyVendorAttributes<Other: Object & ~Copyable>(
    from other: borrowing Other
  ) throws(HDF5Error) {
    for name in try other.attributeNames() where name.hasPrefix("x-") {
      try copyAttribute(name, from: other)
    }
  }
}

extension Dataset {
  /// Writes the attributes that tell how scores are stored (spec, "Score encodings").
  func setScoreAttributes(
    _ encoding: ScoreEncoding,
    largestError: Double?
  ) throws(HDF5Error) {
    try setAttribute("encoding", encoding.name.rawValue)
    if let largestError { try setAttribute("largest_error", largestError) }
    guard let packing = encoding.packing else { return }
    try setAttribute("scale_factor", packing.step)
    try setAttribute("add_offset", packing.offset)
    try setAttribute(
      "_FillValue",
      encoding.elementType,
      bytes: Layout.fillValue(encoding.elementType)
    )
  }
}

extension RelabelError {
  /// A failure of the HDF5 library while writing `path`.
  init(writing error: HDF5Error, _ path: String) {
    // The library's account of a full disk is long and says the same.
    let reason = error.systemError.map { SystemError($0).reason } ?? "\(error)"
    self.init(.io, "can't be written: \(reason)", at: Location(file: path))
  }

  /// A failure of the HDF5 library while reading `path`.
  package init(reading error: HDF5Error, _ path: String) {
    let (message, place) = ("can't be read: \(error)", Location(file: path))
    if error.systemError == nil {
      self.init(.c001, message, at: place)
    } else {
      self.init(.io, message, at: place)
    }
  }
}
