package import Relabel
internal import RelabelFormat

extension LabelView {
  /// What is known of it, for people; text of the file has passed as JSON, and is shown as such.
  package func lines() -> [String] {
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
  package var json: JSON {
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
