internal import RelabelPacking
internal import Relabel

extension PackForecast {
  /// Lines for people.
  func lines() -> [String] {
    var lines = ["dry run: nothing is written"]
    func add(_ title: String, _ text: String?) {
      guard let text else { return }
      let padding = String(repeating: " ", count: max(1, 10 - title.count))
      lines.append("  \(title)\(padding)\(text)")
    }
    if !dialects.isEmpty || images != nil {
      let count = images.map { counted($0, "image") } ?? "images that arrive one after the other"
      add("input", inputBytes > 0 ? "\(count), \(inputBytes) bytes" : count)
    }
    for dialect in dialects { add("dialect", dialect) }
    for line in evidence { add("because", line) }
    add("scores", scoreKind?.rawValue)
    add("classes", numClasses.map { "\($0)" })
    add("grid", shape.map { "\($0.height)×\($0.width), k = \($0.topK)" })
    add("axes", orientation.map { "orientation \($0.rawValue)" })
    add("keys", keys.isEmpty ? nil : keys.joined(separator: ", "))
    add("columns", columns.isEmpty ? nil : columns.joined(separator: ", "))
    let assumed = assumptions.filter { $0.name != "dialect" }
    add(
      "assumed",
      assumed.isEmpty
        ? nil : assumed.map { "\($0.name) \($0.value) (\($0.reason))" }.joined(separator: ", ")
    )
    for question in questions { add("asks", "\(question.option): \(question.reason)") }
    add("size", sizeText)
    add("time", seconds.map { "about \($0.rounded(to: 1)) s" })
    for line in leftOut.prefix(3) { add("left out", line) }
    if !ignored.isEmpty {
      add("ignored", "\(counted(ignored.count, "file")), such as \(ignored[0])")
    }
    if !copies.isEmpty { add("copies", "\(copies.count), such as \(copies[0])") }
    if !unmatchedListLines.isEmpty {
      add("no map", "\(unmatchedListLines.count), such as \(unmatchedListLines[0])")
    }
    if failure == nil { add("would", "pack") }
    return lines
  }

  private var sizeText: String? {
    guard let bytesPerImage else { return nil }
    let total = outputBytes.map { "about \($0) bytes, " } ?? ""
    return
      "\(total)\(bytesPerImage.rounded(to: 1)) an image, measured on \(counted(sampled, "image"))"
  }

  /// The same for programs.
  func json() -> JSON {
    .object([
      "schema_version": .string("1.0"),
      "dry_run": .bool(true),
      "dialects": .array(dialects.map(JSON.string)),
      "evidence": .array(evidence.map(JSON.string)),
      "images": images.map { .integer(Int64($0)) } ?? .null,
      "keys": .array(keys.map(JSON.string)),
      "input_bytes": .integer(inputBytes),
      "score_kind": .optional(scoreKind?.rawValue),
      "num_classes": numClasses.map { .integer(Int64($0)) } ?? .null,
      "grid": shape.map { .array([$0.height, $0.width].map { .integer(Int64($0)) }) } ?? .null,
      "k": shape.map { .integer(Int64($0.topK)) } ?? .null,
      "orientation": .optional(orientation?.rawValue),
      "columns": .array(columns.map(JSON.string)),
      "questions": .array(
        questions.map { .object(["option": .string($0.option), "reason": .string($0.reason)]) }
      ),
      "assumed": .array(
        assumptions.map {
          .object([
            "name": .string($0.name), "value": .string($0.value), "reason": .string($0.reason),
          ])
        }
      ),
      "sampled": .integer(Int64(sampled)),
      "bytes_per_image": .optional(bytesPerImage),
      "output_bytes": outputBytes.map { .integer($0) } ?? .null,
      "seconds": .optional(seconds),
      "left_out": .array(leftOut.map(JSON.string)),
      "ignored": .array(ignored.map(JSON.string)),
      "equal_copies": .array(copies.map(JSON.string)),
      "images_without_map": .array(unmatchedListLines.map(JSON.string)),
      "would_pack": .bool(failure == nil),
      "error": failure.flatMap { $0.document["error"] } ?? .null,
    ])
  }
}
