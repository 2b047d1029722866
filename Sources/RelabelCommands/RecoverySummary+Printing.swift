internal import RelabelPacking
internal import Relabel

extension RecoverySummary {
  /// How many losses, and images of one, are named in the text; all stand in the JSON report.
  private static let shown = 10

  /// The report for people: losses by shard and reason.
  func lines(output: String) -> [String] {
    var lines = [saved(output)]
    if exclusions.images > 0 {
      lines.append("  excluded  \(counted(exclusions.images, "image")), as marked")
    }
    lines += exclusions.unmatched.prefix(Self.shown).map { "  no image  \($0), which is marked" }
    let hidden = exclusions.unmatched.count - Self.shown
    if hidden > 0 { lines.append("            and \(hidden) more: see --format json") }
    if !losses.isEmpty { lines.append("  lost      \(lostText)") }
    lines += listed(losses).flatMap { loss in
      ["            \(loss.title)", "              \(loss.examples)"]
    }
    lines += more(losses)
    lines += unknownValues.map {
      "  unknown   \($0.dataset) of \(counted($0.images, "image")) of '\($0.shard)': the images "
        + "are saved, their value says 'not known'"
    }
    lines += doubts.map { "  doubt     \($0)" }
    lines += notes.map { "  note      \($0)" }
    return lines
  }

  private func saved(_ output: String) -> String {
    guard let index else { return "nothing could be saved" }
    let what = "\(counted(index.count, "image")) saved in \(counted(index.shards.count, "shard"))"
    return "\(output): \(what)" + (isComplete ? ", nothing is lost" : "")
  }

  private var lostText: String {
    let unknown = losses.count { $0.count == nil }
    let images = counted(lostImages, "image")
    if unknown == 0 { return images }
    return "\(images), and all of \(counted(unknown, "shard")), an unknown number"
  }

  private func listed(_ losses: [Loss]) -> ArraySlice<Loss> { losses.prefix(Self.shown) }

  private func more(_ losses: [Loss]) -> [String] {
    guard losses.count > Self.shown else { return [] }
    return ["            and for \(losses.count - Self.shown) more reasons: see --format json"]
  }

  /// The report for programs: every lost image.
  func json() -> JSON {
    .object([
      "schema_version": .string("1.0"),
      "name": .optional(index?.name),
      "build_id": .optional(index?.buildID),
      "recovered_from": .optional(recoveredFrom),
      "images": .integer(Int64(index?.count ?? 0)),
      "shards": .integer(Int64(index?.shards.count ?? 0)),
      "complete": .bool(isComplete),
      "lost_images": .integer(Int64(lostImages)),
      "lost": .array(losses.flatMap(\.json)),
      "unknown_values": .array(
        unknownValues.map {
          .object([
            "shard": .string($0.shard), "dataset": .string($0.dataset),
            "images": .integer(Int64($0.images)),
          ])
        }
      ),
      "excluded": .integer(Int64(exclusions.images)),
      "exclusions_without_image": .array(exclusions.unmatched.map(JSON.string)),
      "doubts": .array(doubts.map(JSON.string)),
      "notes": .array(notes.map(JSON.string)),
    ])
  }
}

extension Loss {
  /// Where, how many and why.
  fileprivate var title: String {
    let images = count.map { counted($0, "image") } ?? "all images"
    return "\(shard): \(images): \(reason)"
  }

  /// The first of the names.
  fileprivate var examples: String {
    let shown = names(5)
    let more = (count ?? 0) - shown.count
    let text = shown.isEmpty ? "no name of them can be read" : shown.joined(separator: ", ")
    return more > 0 ? "\(text) and \(more) more" : text
  }

  fileprivate var json: [JSON] {
    images.isEmpty ? [entry(nil)] : images.map(entry)
  }

  /// One image, or rows of which nothing but their number is known.
  private func entry(_ image: Image?) -> JSON {
    .object([
      "shard": .string(shard),
      "row": image.map { .integer(Int64($0.row)) } ?? .null,
      "rows": rows.map { .array([.integer(Int64($0.lowerBound)), .integer(Int64($0.upperBound))]) }
        ?? .null,
      "key": .optional(image?.key),
      "image_index": image?.imageIndex.map(JSON.integer) ?? .null,
      "cell": image?.cell.map { .array([.integer(Int64($0.y)), .integer(Int64($0.x))]) } ?? .null,
      "reason": .string(reason),
    ])
  }
}
