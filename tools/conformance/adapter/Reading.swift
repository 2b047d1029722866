import Relabel

/// What a shard or dataset holds, as the conformance pack spells it.
///
/// The optional HDF5 datasets that this library does not read are left out.
func content(ofPath path: String) throws(RelabelError) -> JSON {
  let source = try openLabelMaps(path)
  let header = try source.header
  var images: [JSON] = []
  for position in 0..<source.count {
    let map = try source.map(at: position)
    var view = header.views == nil ? [:] : described(try source.view(at: position))
    if let factors = map.factors { view.merge(described(factors)) { _, own in own } }
    images.append(
      .object(
        view.merging([
          "key": .string(try source.key(at: position)),
          "image_index": .integer(try source.imageIndex(at: position)),
          "map_extent": .array(map.extent.components.map(JSON.number)),
          "class_index": nested(map.classIndex.map { .integer(Int64($0)) }, map.shape),
          "score": nested(map.score.map { .number(Double($0)) }, map.shape),
        ]) { _, own in own }
      )
    )
  }
  return .object([
    "header": described(header), "storage": stored(header.encoding), "images": .array(images),
  ])
}

private func described(_ factors: ClassFactors) -> [String: JSON] {
  let numbers = factors.scale.indices.map { factor in
    JSON.array(
      factors.numbers[factor * factors.numClasses..<(factor + 1) * factors.numClasses].map {
        .integer(Int64($0) - 127)
      }
    )
  }
  return [
    "class_factor": .array(numbers),
    "factor_scale": .array(factors.scale.map { .number(Double($0)) }),
  ]
}

private func described(_ header: ShardHeader) -> JSON {
  var members: [String: JSON] = [
    "format_version": .string("\(header.version)"),
    "writer": .string(header.writer),
    "build_id": .string(header.buildID),
    "num_classes": .integer(Int64(header.numClasses)),
    "score_kind": .string(header.scoreKind.rawValue),
    "fill": .string(header.fill.rawValue),
    "temperature": .number(header.temperature),
    "cell_order": .string(header.cellOrder.rawValue),
    "row_order": .string("\(header.rowOrder)"),
    "orientation": .string(header.orientation.rawValue),
    "map_extent": .array(header.mapExtent.components.map(JSON.number)),
    "metadata": header.metadata.json,
    "height": .integer(Int64(header.shape.height)),
    "width": .integer(Int64(header.shape.width)),
    "k": .integer(Int64(header.shape.topK)),
  ]
  if header.classesAre != .exclusive {
    members["classes_are"] = .string(header.classesAre.rawValue)
  }
  if let size = header.views?.size { members["view_size"] = whole(size.height, size.width) }
  return .object(members)
}

/// What a row says of its view, null where it says that there is nothing.
///
/// Members that are null in every row may stand for HDF5 datasets that are not there.
private func described(_ view: LabelView) -> [String: JSON] {
  func partner(_ partner: LabelView.Partner?) -> JSON {
    .array([
      .integer(partner?.imageIndex ?? -1), .integer(Int64(partner?.slot ?? -1)),
    ])
  }
  return [
    "view": .integer(Int64(view.number)),
    "view_box": view.box.map {
      .array([$0.top, $0.left, $0.height, $0.width].map(JSON.number))
    } ?? .null,
    "view_flip": view.isFlipped.map { .integer($0 ? 1 : 0) } ?? .null,
    "view_seed": view.seed.map(JSON.integer) ?? .null,
    "replay": view.replay.map { whole($0.epoch, $0.batch, $0.slot) } ?? .null,
    "mixup_lambda": .optional(view.mixupShare),
    "mixup_partner": partner(view.mixupPartner),
    "cutmix_lambda": .optional(view.cutmixShare),
    "cutmix_box": view.cutmixBox.map { whole($0.top, $0.left, $0.bottom, $0.right) } ?? .null,
    "cutmix_partner": partner(view.cutmixPartner),
    "operations": .optional(view.operations),
  ]
}

private func whole(_ numbers: Int...) -> JSON { .array(numbers.map { .integer(Int64($0)) }) }

private func stored(_ encoding: ScoreEncoding) -> JSON {
  .object([
    "encoding": .string(encoding.name.rawValue),
    "scale_factor": .optional(encoding.packing.map { Double($0.step) }),
    "add_offset": .optional(encoding.packing.map { Double($0.offset) }),
  ])
}

/// Entries as nested arrays [y][x][rank].
private func nested(_ entries: [JSON], _ shape: MapShape) -> JSON {
  func split(_ entries: [JSON], _ size: Int) -> [JSON] {
    stride(from: 0, to: entries.count, by: size).map { .array(Array(entries[$0..<$0 + size])) }
  }
  return .array(split(split(entries, shape.topK), shape.width))
}
