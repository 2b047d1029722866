import AnnotatorOutputs
import Relabel

extension BuildPlan {
  /// Options that decide the bytes of the dataset; jobs, paths and policies do not.
  static func record(
    _ header: ShardHeader,
    _ options: PackOptions,
    _ imagesPerShard: Int
  ) -> [String: JSON] {
    // Only where it is used, so that the digest of all other builds stays what it was.
    var used: [String: JSON] = [:]
    if options.stripComponents != 0 {
      used["strip_components"] = .integer(Int64(options.stripComponents))
    }
    if options.isBackgroundFirst { used["background_first"] = .bool(true) }
    if let axes = options.axes { used["axes"] = .string(axes) }
    if !options.arrays.isEmpty { used["arrays"] = .array(options.arrays.map(JSON.string)) }
    if let marks = options.exclusions { used["exclude"] = .string(marks.exclusionDigest) }
    if options.classesAre != .exclusive {
      used["classes_are"] = .string(options.classesAre.rawValue)
    }
    // What all shards say of their views, and of no annotator document.
    for (name, value) in header.viewStatements { used[name] = value }
    if header.views != nil { used["temperature"] = .number(header.temperature) }
    return [
      "top_k": .integer(Int64(header.shape.topK)),
      "score_encoding": .string(header.encoding.name.rawValue),
      "max_error": .optional(header.encoding.bound),
      "cell_order": .string(header.cellOrder.rawValue),
      "row_order": .string("\(header.rowOrder)"),
      "orientation": .string(header.orientation.rawValue),
      "images_per_chunk": .integer(Int64(header.imagesPerChunk)),
      "images_per_shard": .integer(Int64(imagesPerShard)),
      "compression": .string("\(header.compression)"),
    ].merging(used) { one, _ in one }
  }

  /// The digest of what decides the bytes, apart from the contents of the inputs
  /// (spec, "build_id").
  static func buildID(
    _ header: ShardHeader,
    _ options: [String: JSON],
    _ listing: PendingImages?
  ) throws(RelabelError) -> String {
    var images = Digest()
    for place in 0..<(listing?.count ?? 0) {
      guard let image = try listing?[place] else { break }
      images.update(Array("\(image.imageIndex)\t\(image.key)\n".utf8))
    }
    let document = JSON.object([
      "writer": .string(header.writer),
      "options": .object(options),
      "num_classes": .integer(Int64(header.numClasses)),
      "score_kind": .string(header.scoreKind.rawValue),
      "height": .integer(Int64(header.shape.height)),
      "width": .integer(Int64(header.shape.width)),
      "metadata": header.metadata.json,
      "listing": listing == nil ? .null : .string(images.hex()),
    ])
    return Digest.of(try document.canonical())
  }
}
