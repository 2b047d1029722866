import Relabel
import RelabelPacking

/// Writes a dataset of views with `DatasetWriter`, as a program would, from a document that has options and views.
///
/// - Throws: what the writer throws; `.usage` for a document that is none.
func writeViews(_ folder: String, content: JSON) throws(RelabelError) {
  var options = PackOptions(output: folder)
  options.numClasses = try content.whole("num_classes")
  options.topK = content["top_k"]?.count
  options.scoreKind = try content.word("score_kind") as ScoreKind
  options.encoding = try content.word("score_encoding") as ScoreEncoding.Name
  options.cellOrder = try content.word("cell_order")
  options.rowOrder = RowOrder(try content.text("row_order"))
  options.orientation = .yx
  options.imagesPerShard = try content.whole("images_per_shard")
  options.resumes = content["resume"] == .bool(true)
  options.skipsBadInput = content["skip"] == .bool(true)
  options.jobs = 2
  let names = try content.list("details").compactMap(\.string)
  let images = Set(names.compactMap(ImageDetails.Name.init))
  var views = WrittenViews(details: Set(names.compactMap(WrittenViews.Detail.init)))
  views.document = try content.member("document")
  views.boxType = try content.word("box_type")
  views.temperature = content["temperature"]?.number
  views.operationsBytes = try content.whole("operations_bytes")
  if let size = content["view_size"]?.array?.compactMap(\.count), size.count == 2 {
    views.size = ViewFacts.Size(height: size[0], width: size[1])
  }
  let writer = try DatasetWriter(options, details: images, views: views)
  for row in try content.list("views") {
    let view = try view(row)
    let key = try row.text("key")
    if writer.finishedViews.contains(.init(key: key, number: view.number)) { continue }
    var details = ImageDetails()
    if let size = row["image_size"]?.array?.compactMap(\.count), size.count == 2 {
      details.imageSize = (UInt32(size[0]), UInt32(size[1]))
    }
    details.sourceLabel = row["source_label"]?.integer.flatMap(Int32.init(exactly:))
    let scores = try row.flat("scores").compactMap { $0.number.map(Float.init) }
    try writer.append(
      dense: scores.span,
      height: 1,
      width: 1,
      key: key,
      view: view,
      details: details
    )
  }
  try writer.finish()
}

private func view(_ row: JSON) throws(RelabelError) -> LabelView {
  var view = LabelView(number: try row.whole("view"))
  if let box = row["view_box"]?.array?.compactMap(\.number) {
    view.box = LabelView.Box(top: box[0], left: box[1], height: box[2], width: box[3])
  }
  if case .bool(let isFlipped)? = row["view_flip"] { view.isFlipped = isFlipped }
  view.seed = row["view_seed"]?.integer
  if let place = whole(row["replay"]) {
    view.replay = LabelView.Place(epoch: place[0], batch: place[1], slot: place[2])
  }
  view.mixupShare = row["mixup_lambda"]?.number
  view.mixupPartner = partner(row["mixup_partner"])
  view.cutmixShare = row["cutmix_lambda"]?.number
  if let box = whole(row["cutmix_box"]) {
    view.cutmixBox = LabelView.PixelBox(top: box[0], left: box[1], bottom: box[2], right: box[3])
  }
  view.cutmixPartner = partner(row["cutmix_partner"])
  view.operations = row["operations"]?.string
  return view
}

private func partner(_ pair: JSON?) -> LabelView.Partner? {
  guard let pair = pair?.array, pair.count == 2 else { return nil }
  return LabelView.Partner(imageIndex: pair[0].integer, slot: pair[1].integer.map(Int.init))
}

private func whole(_ numbers: JSON?) -> [Int]? {
  numbers?.array?.compactMap { $0.integer.map(Int.init) }
}
