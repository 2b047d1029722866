import Relabel
import RelabelWriting

/// Writes a shard that holds this content.
///
/// - Throws: `.notSupported` for what the library's writer has no words for: optional HDF5 datasets,
///   other versions, other offsets than its own; `.usage` for a document that is no content.
func writeShard(_ path: String, content: JSON) throws(RelabelError) {
  let header = try header(content)
  let codec = MapCodec(header)
  var writer = try ShardWriter(path, header: header)
  for image in try content.list("images") {
    try writer.append([try codec.encode(try labelled(image, header))], jobs: 1)
  }
  _ = try writer.finish()
}

private func header(_ content: JSON) throws(RelabelError) -> ShardHeader {
  let described = try content.member("header")
  let version = try described.text("format_version")
  let relation: ClassRelation =
    described["classes_are"] == nil ? .exclusive : try described.word("classes_are")
  let own: FormatVersion = relation == .exclusive ? .current : .newest
  guard version == "\(own)" else {
    throw RelabelError(.notSupported, "such a shard is written as version \(own)")
  }
  let kind: ScoreKind = try described.word("score_kind")
  var header = ShardHeader(
    numClasses: try described.whole("num_classes"),
    scoreKind: kind,
    shape: MapShape(
      height: try described.whole("height"),
      width: try described.whole("width"),
      topK: try described.whole("k")
    ),
    encoding: try encoding(try content.member("storage"), kind),
    keyBytes: max(
      1,
      try content.list("images").compactMap { $0["key"]?.string?.utf8.count }.max() ?? 1
    ),
    buildID: try described.text("build_id"),
    metadata: try MetadataDocument(parsing: try described.member("metadata").canonical())
  )
  if relation == .independent { header.declareIndependent() }
  header.fill = try described.word("fill")
  header.temperature = try described.number("temperature")
  header.cellOrder = try described.word("cell_order")
  header.orientation = try described.word("orientation")
  header.writer = try described.text("writer")
  header.mapExtent = try extent(described)
  guard let rowOrder = RowOrder(try described.text("row_order")) else { throw unfit("row_order") }
  header.rowOrder = rowOrder
  return header
}

/// The library's encoding with this step; its offset follows from that.
private func encoding(_ stored: JSON, _ kind: ScoreKind) throws(RelabelError) -> ScoreEncoding {
  let name: ScoreEncoding.Name = try stored.word("encoding")
  let step = stored["scale_factor"]?.number
  let encoding = try ScoreEncoding(name, for: kind, maximumError: step.map { $0 / 2 })
  guard encoding.packing.map({ Double($0.offset) }) == stored["add_offset"]?.number else {
    throw RelabelError(.notSupported, "the offset of scores can't be chosen")
  }
  return encoding
}

private func labelled(_ image: JSON, _ header: ShardHeader) throws(RelabelError) -> LabelledImage {
  let optional = [
    "image_size", "image_sha256", "source_label", "log_normalizer", "view", "class_factor",
  ]
  guard optional.allSatisfy({ image[$0] == nil }), try extent(image) == header.mapExtent else {
    throw RelabelError(.notSupported, "optional HDF5 datasets can't be written")
  }
  let ids = try image.flat("class_index").compactMap { $0.integer.flatMap(UInt32.init(exactly:)) }
  let scores = try image.flat("score").compactMap { $0.number.map(Float.init) }
  guard ids.count == header.shape.entries else { throw unfit("class_index") }
  guard scores.count == header.shape.entries else { throw unfit("score") }
  return LabelledImage(
    key: try image.text("key"),
    imageIndex: Int64(try image.whole("image_index")),
    map: LabelMap(shape: header.shape, classIndex: ids, score: scores)
  )
}

private func extent(_ owner: JSON) throws(RelabelError) -> CropBox {
  let sides = try owner.list("map_extent").compactMap(\.number)
  guard let box = CropBox(components: sides) else { throw unfit("map_extent") }
  return box
}

private func unfit(_ name: String) -> RelabelError {
  RelabelError(.usage, "member '\(name)' of the content is missing or has no fitting value")
}

extension JSON {
  /// A member that has to be there.
  func member(_ name: String) throws(RelabelError) -> JSON {
    guard let member = self[name] else { throw unfit(name) }
    return member
  }

  /// A text that has to be there.
  func text(_ name: String) throws(RelabelError) -> String {
    guard let text = self[name]?.string else { throw unfit(name) }
    return text
  }

  /// A word of the format that has to be there.
  func word<Word: RawRepresentable<String>>(
    _ name: String
  ) throws(RelabelError) -> Word {
    guard let word = Word(rawValue: try text(name)) else { throw unfit(name) }
    return word
  }

  /// A whole number that has to be there.
  func whole(_ name: String) throws(RelabelError) -> Int {
    guard let value = self[name]?.integer else { throw unfit(name) }
    return Int(value)
  }

  /// A number that has to be there.
  func number(_ name: String) throws(RelabelError) -> Double {
    guard let value = self[name]?.number else { throw unfit(name) }
    return value
  }

  /// An array that has to be there.
  func list(_ name: String) throws(RelabelError) -> [JSON] {
    guard let elements = self[name]?.array else { throw unfit(name) }
    return elements
  }

  /// The innermost elements of nested arrays, in order.
  func flat(_ name: String) throws(RelabelError) -> [JSON] {
    func flat(_ value: JSON) -> [JSON] { value.array.map { $0.flatMap(flat) } ?? [value] }
    return flat(try member(name))
  }
}
