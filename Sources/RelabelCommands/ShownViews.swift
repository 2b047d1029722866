internal import Relabel

/// All views of one image, ready to print: what was done to the picture, and the most probable class.
struct ShownViews {
  private let key: String
  private let views: [(view: LabelView, top: TopClasses)]

  init(
    _ maps: any LabelMapSource,
    _ positions: [Int],
    _ image: ImageArguments
  ) throws(RelabelError) {
    key = image.key
    let header = try maps.header
    let pooling = try LabelPooling(header, profile: .relabel)
    var views: [(view: LabelView, top: TopClasses)] = []
    for position in positions {
      let map = try maps.map(at: position)
      let target = try pooling.target(of: map, in: map.extent)
      let top = TopClasses(entries: target.top(image.top), header: header)
      views.append((try maps.view(at: position), top))
    }
    self.views = views.sorted { $0.view.number < $1.view.number }
  }

  func lines() -> [String] {
    ["\(key): \(views.count) views"]
      + views.flatMap { view, top in
        ["view \(view.number)"] + view.lines() + top.lines().prefix(1)
      }
  }

  func json() -> JSON {
    .object([
      "key": .string(key),
      "views": .array(
        views.map { .object(["view": $0.view.json, "top": $0.top.json()]) }
      ),
    ])
  }
}

extension LabelView {
  /// What is known of it, for people; text of the file has passed as JSON, and is shown as such.
  func lines() -> [String] {
    var lines: [String] = []
    func add(_ name: String, _ value: String?) {
      if let value { lines.append("  \(name) \(value)") }
    }
    add("crop", box.map { "from \($0.top), \($0.left), \($0.height) high and \($0.width) wide" })
    add("mirrored", isFlipped.map { $0 ? "yes" : "no" })
    add("seed", seed.map(String.init))
    add("replay", replay.map { "epoch \($0.epoch), batch \($0.batch), slot \($0.slot)" })
    add("mixup", mixupShare.map { "\($0) of its own, \(Self.words(mixupPartner))" })
    add(
      "cutmix",
      cutmixBox.map {
        "rows \($0.top) to \($0.bottom), columns \($0.left) to \($0.right), "
          + Self.words(cutmixPartner)
      }
    )
    add("operations", operations?.printable)
    return lines
  }

  private static func words(_ partner: Partner?) -> String {
    guard let partner else { return "partner not known" }
    let image = partner.imageIndex.map { "image \($0)" } ?? "an image that is not known"
    return "with \(image)" + (partner.slot.map { " in slot \($0)" } ?? "")
  }

  /// All of it.
  var json: JSON {
    func partner(_ partner: Partner?) -> JSON {
      guard let partner else { return .null }
      return .object([
        "image_index": partner.imageIndex.map(JSON.integer) ?? .null,
        "slot": partner.slot.map { .integer(Int64($0)) } ?? .null,
      ])
    }
    func whole(_ numbers: [Int]) -> JSON { .array(numbers.map { .integer(Int64($0)) }) }
    return .object([
      "number": .integer(Int64(number)),
      "box": box.map { .array([$0.top, $0.left, $0.height, $0.width].map(JSON.number)) } ?? .null,
      "flip": isFlipped.map(JSON.bool) ?? .null,
      "seed": seed.map(JSON.integer) ?? .null,
      "replay": replay.map { whole([$0.epoch, $0.batch, $0.slot]) } ?? .null,
      "mixup_lambda": .optional(mixupShare),
      "mixup_partner": partner(mixupPartner),
      "cutmix_lambda": .optional(cutmixShare),
      "cutmix_box": cutmixBox.map { whole([$0.top, $0.left, $0.bottom, $0.right]) } ?? .null,
      "cutmix_partner": partner(cutmixPartner),
      "operations": .optional(operations),
    ])
  }
}
